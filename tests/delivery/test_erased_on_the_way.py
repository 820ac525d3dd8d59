"""A case is erased while events about it wait to be delivered: what arrives after that holds none of its
words, and nothing is lost or changes its place."""

from __future__ import annotations

import asyncio

import pytest

from hub.domain.commands import Erase
from tests.delivery.delivery_world import AGENCIES, DeliveryWorld, principal, until
from tests.delivery.receiver import Received, Receiver

WORDS = (b"Lampu jalan padam", b"simpang empat", b"Mohon sebutkan nama jalannya")


async def erase(world: DeliveryWorld, case_id: str) -> None:
    outcome = await world.hub.act(principal(AGENCIES[0]), Erase(case_id, "Permintaan pelapor."))
    assert outcome.status == 200


def said(received: Received) -> list[bytes]:
    return [word for word in WORDS if word in received.body]


def kinds(ministry: Receiver) -> list[tuple[str, bool]]:
    return [
        (event["type"].split(".")[3], event["data"].get("erased", False)) for event in ministry.accepted()
    ]


async def test_what_waits_in_memory_behind_a_slow_answer(world: DeliveryWorld, ministry: Receiver) -> None:
    await world.desk.put(AGENCIES[0], ministry.url, ["*"], None)
    case_id = await world.submit()
    for _ in range(3):
        await world.more_about(case_id)
    go = asyncio.Event()

    async def slow(received: Received) -> int:
        await go.wait()
        return 204

    ministry.behave = slow
    starting = asyncio.create_task(world.start())
    await until(lambda: len(ministry.received) == 1)
    await erase(world, case_id)
    ministry.behave = lambda received: 204
    go.set()
    await starting
    await world.settle()
    assert said(ministry.received[0]), "sent before"
    assert [said(each) for each in ministry.received[1:]] == [[]] * 4
    assert kinds(ministry) == [
        ("submitted", False), *[("incomplete", True)] * 3, ("erased", True),
    ]  # fmt: skip


@pytest.mark.parametrize("types", [["*"], ["id.simpul.complaint.submitted.v1"]])
async def test_what_waits_for_its_retry(world: DeliveryWorld, ministry: Receiver, types: list[str]) -> None:
    """Also for an endpoint that never asks to hear of erasures."""
    await world.desk.put(AGENCIES[0], ministry.url, types, None)
    ministry.behave = lambda received: 500
    case_id = await world.submit()
    await world.more_about(case_id)
    await world.start()
    await world.settle()
    failed = len(ministry.received)
    assert failed
    await erase(world, case_id)
    ministry.behave = lambda received: 204
    await world.turn(600.0)
    await world.turn(600.0)
    assert ministry.accepted() and [said(each) for each in ministry.received[failed:]] == (
        [[]] * (len(ministry.received) - failed)
    )


async def test_what_another_case_waits_for_keeps_its_words(world: DeliveryWorld, ministry: Receiver) -> None:
    await world.desk.put(AGENCIES[0], ministry.url, ["*"], None)
    ministry.behave = lambda received: 500
    gone, stays = await world.submit(), await world.submit()
    await world.start()
    await world.settle()
    await erase(world, gone)
    ministry.behave = lambda received: 204
    await world.turn(600.0)
    await world.turn(600.0)
    words = {each.subject: bool(said(each)) for each in ministry.received if each.answered == 204}
    assert words == {gone: False, stays: True}
