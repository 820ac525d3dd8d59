"""A reply at which the hub fails (500) waits, with the later ones of its subject; the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from connectors.errors import HubAway, NotNow
from connectors.parts import Parts
from connectors.spool import open_spool
from tests.connectors.failing_desk import CAP_S, Desk, patiently, uuid


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    spool = open_spool(tmp_path / "connector.spool")
    yield Desk(spool)
    spool.close()


async def test_a_reply_that_the_hub_fails_at_holds_up_no_other(desk: Desk) -> None:
    desk.hub.bad = {uuid(1)}
    for number in (1, 2, 3):
        desk.says("progress", forwarding_id=uuid(number), text="Dikerjakan.")
    assert await desk.sender().step() is False
    assert [found for found, _ in desk.hub.taken] == [uuid(2), uuid(3)]
    ((name, state, reason),) = desk.replies.troubles()
    assert (name, state, reason) == ("row-1", "pending", "the hub answers 500 Internal error")


async def test_more_failing_replies_than_one_step_takes_hold_up_no_other(desk: Desk) -> None:
    desk.hub.bad = {uuid(number) for number in range(1, 71)}
    for number in range(1, 91):
        desk.says("progress", forwarding_id=uuid(number), text="Dikerjakan.")
    await patiently(desk.sender().step, desk)
    assert [found for found, _ in desk.hub.taken] == [uuid(number) for number in range(71, 91)]


async def test_replies_of_one_case_keep_their_order_however_they_name_it(desk: Desk) -> None:
    case, leg, other = uuid(1), uuid(2), uuid(3)
    Parts(desk.spool).note({"data": {"case_id": case, "forwarding": {"id": leg}}})
    desk.hub.bad = {leg}
    desk.says("progress", forwarding_id=leg, text="Dikerjakan.")
    desk.says("answer", case_id=case, text="Selesai.")
    desk.says("progress", forwarding_id=other, text="Dikerjakan.")
    sender = desk.sender()
    await patiently(sender.step, desk, 20)
    assert {found for found, _ in desk.hub.taken} == {other}
    assert (case, "case") not in desk.hub.asked
    desk.hub.bad.clear()
    await patiently(sender.step, desk, 20)
    assert [act for found, act in desk.hub.taken if found != other] == ["progress", "answer"]
    assert desk.replies.troubles() == []


async def test_messages_of_one_thread_keep_their_order(desk: Desk) -> None:
    thread, other = uuid(1), uuid(2)
    desk.hub.bad = {thread}
    for found in (thread, thread, other):
        desk.says("message", thread_id=found, text="Tiang diganti.", scope="agencies")
    sender = desk.sender()
    await sender.step()
    assert desk.hub.asked == [(thread, "messages"), (other, "messages")]
    desk.hub.bad.clear()
    await patiently(sender.step, desk, 20)
    assert [found for found, _ in desk.hub.taken] == [other, thread, thread]


async def test_the_reporters_words_of_one_report_wait_and_the_others_go_on(desk: Desk) -> None:
    for number in (1, 2):
        desk.has_sent(number)
    desk.hub.bad = {uuid(1)}
    for reference in ("001", "001", "002"):
        desk.says("reply", reference=reference, text="Masih gelap.")
    reporter = desk.reporter()
    await reporter.step()
    assert desk.hub.asked == [(uuid(1), "replies"), (uuid(2), "replies")]
    desk.hub.bad.clear()
    await patiently(reporter.step, desk, 20)
    assert len(desk.hub.taken) == 3


async def test_a_failing_replys_pauses_grow_to_the_cap_and_a_start_tries_it_at_once(desk: Desk) -> None:
    desk.hub.bad = {uuid(1)}
    desk.says("progress", forwarding_id=uuid(1), text="Dikerjakan.")
    sender, tried_at = desk.sender(), []
    for _ in range(600):
        before = desk.hub.asked_of(1)
        assert await sender.step() is False
        if desk.hub.asked_of(1) > before:
            tried_at.append(desk.now_s)
        desk.now_s += 0.25
    pauses = [later - earlier for earlier, later in pairwise(tried_at)]
    assert pauses[0] <= 1.25
    assert CAP_S / 2 <= max(pauses) <= CAP_S + 0.25
    assert len(tried_at) < 45
    before = desk.hub.asked_of(1)
    await desk.sender().step()
    assert desk.hub.asked_of(1) == before + 1


async def test_a_reply_that_ended_otherwise_while_it_waited_is_forgotten(desk: Desk) -> None:
    desk.hub.bad = {uuid(1)}
    desk.says("progress", forwarding_id=uuid(1), text="Dikerjakan.")
    sender = desk.sender()
    await sender.step()
    desk.replies.refuse("row-1", "handed over")
    desk.hub.bad.clear()
    await patiently(sender.step, desk, 10)
    desk.says("progress", forwarding_id=uuid(1), text="Lagi.")
    await sender.step()
    assert len(desk.hub.taken) == 1


async def test_a_hub_that_fails_at_every_reply_is_not_asked_for_each(desk: Desk) -> None:
    desk.hub.bad = {uuid(number) for number in range(1, 31)}
    for number in range(1, 31):
        desk.says("progress", forwarding_id=uuid(number), text="Dikerjakan.")
    with pytest.raises(NotNow, match="one request after another"):
        await desk.sender().step()
    assert len(desk.hub.asked) == 3


async def test_a_hub_that_is_away_stops_the_replies(desk: Desk) -> None:
    desk.hub.away = True
    for number in (1, 2):
        desk.says("progress", forwarding_id=uuid(number), text="Dikerjakan.")
    with pytest.raises(HubAway):
        await desk.sender().step()
    assert len(desk.hub.asked) == 1
