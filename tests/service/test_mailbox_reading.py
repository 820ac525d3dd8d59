"""Mailboxes as an agency reads them: pages, long polls, cursors, digests, trimming."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import pytest

from hub.domain.commands import Accept, Return, Verify
from hub.errors import Erased, Invalid
from tests.service.hubworld import KOTIM, PLN, PUPR, STRANGER, HubWorld

LONG_S = 30.0
"""A wait that no test sits out: each is woken."""


async def test_pages_follow_one_another_without_gap(world: HubWorld) -> None:
    world.whole_life()
    async with world.serving() as hub:
        after, seen = 0, []
        while True:
            page = await hub.mailboxes.page(KOTIM, after, 4)
            if not page["items"]:
                break
            assert page["next"] == page["items"][-1]["position"]
            seen += page["items"]
            after = page["next"]
        assert page["next"] == after
        assert page["incarnation"] == world.read(lambda s: s.incarnation())
        assert [item["position"] for item in seen] == list(range(1, len(seen) + 1))
        assert seen[0]["event"]["type"] == "id.simpul.agency.registered.v1"
        sequences = [i["event"]["sequence"] for i in seen if i["event"]["type"].startswith("id.simpul.c")]
        assert sequences == sorted(sequences)


async def test_every_event_is_in_the_mailboxes_that_its_header_names_and_no_other(world: HubWorld) -> None:
    world.whole_life()
    events = world.read(lambda s: s.events_after(0, 999))
    for agency in (KOTIM, PUPR, PLN, STRANGER, "hub"):
        expected = [event.id for event in events if agency in event.fact().recipients]
        assert [row.event.id for row in world.read(lambda s, a=agency: s.mailbox(a, 0, 999))] == expected


async def test_who_returned_gets_its_last_event_and_none_after(world: HubWorld) -> None:
    case_id, leg = world.forwarded((PUPR, "lead"))
    world.do(world.request(Return(case_id, leg, "not_ours"), PUPR))
    world.do(world.request(world.forwarding(case_id, (PLN, "lead"))))
    types = [row.event.fact().type for row in world.read(lambda s: s.mailbox(PUPR, 0, 99))]
    assert types == ["agency.registered", "forwarding.sent", "forwarding.returned"]


async def test_a_long_poll_is_woken_by_what_this_process_writes(world: HubWorld) -> None:
    async with world.serving() as hub:
        head = world.read(lambda s: s.mailbox_state(KOTIM).head)
        poll = asyncio.ensure_future(hub.mailboxes.page(KOTIM, head, 10, LONG_S))
        other = asyncio.ensure_future(hub.mailboxes.page(STRANGER, 1, 10, LONG_S))
        await hub.writer.submit([world.submission()])
        page = await asyncio.wait_for(poll, 10)
        assert [item["event"]["type"] for item in page["items"]] == ["id.simpul.complaint.submitted.v1"]
        assert not other.done()
        hub.mailboxes.close()
        assert (await asyncio.wait_for(other, 10))["items"] == []


async def test_a_long_poll_is_woken_by_what_another_process_writes(
    world_factory: Callable[[str], HubWorld],
) -> None:
    here, there = world_factory("data"), world_factory("data")
    async with here.serving(look_every_s=0.01) as hub:
        head = here.read(lambda s: s.mailbox_state(KOTIM).head)
        poll = asyncio.ensure_future(hub.mailboxes.page(KOTIM, head, 10, LONG_S))
        await asyncio.to_thread(there.submitted)
        assert len((await asyncio.wait_for(poll, 10))["items"]) == 1


async def test_a_poll_that_need_not_wait_does_not(world: HubWorld) -> None:
    async with world.serving() as hub:
        assert len((await hub.mailboxes.page(KOTIM, 0, 1, LONG_S))["items"]) == 1
        assert (await hub.mailboxes.page(KOTIM, 99, 1))["next"] == 99


async def test_a_cursor_is_kept_and_bounded(world: HubWorld) -> None:
    async with world.serving() as hub:
        assert await hub.mailboxes.acknowledge(KOTIM, 1) == {"position": 1}
        assert world.read(lambda s: s.mailbox_state(KOTIM).cursor) == 1
        with pytest.raises(Invalid) as refused:
            await hub.mailboxes.acknowledge(KOTIM, 99)
        assert [pointer for pointer, _ in refused.value.flaws] == ["/position"]
        assert world.read(lambda s: s.mailbox_state(KOTIM).cursor) == 1
        assert await hub.mailboxes.acknowledge(KOTIM, 0) == {"position": 0}


async def test_a_digest_is_over_positions_and_event_ids(world: HubWorld) -> None:
    world.whole_life()
    async with world.serving() as hub:
        items = (await hub.mailboxes.page(KOTIM, 0, 200))["items"]
        for first, last in ((1, len(items)), (2, 5), (4, 4), (len(items), len(items) + 9), (99, 100)):
            chosen = [item for item in items if first <= item["position"] <= last]
            lines = "".join(f"{item['position']} {item['event']['id']}\n" for item in chosen)
            assert await hub.mailboxes.digest(KOTIM, first, last) == {
                "from": first, "to": last, "count": len(chosen),
                "sha256": hashlib.sha256(lines.encode()).hexdigest(),
            }  # fmt: skip


async def test_a_digest_stays_the_same_when_the_words_go(world: HubWorld) -> None:
    case_id = world.submitted()
    async with world.serving() as hub:
        before = await hub.mailboxes.digest(KOTIM, 1, 9)
        world.sql("DELETE FROM stream_keys WHERE stream = ?", case_id)
        assert await hub.mailboxes.digest(KOTIM, 1, 9) == before
        data = (await hub.mailboxes.page(KOTIM, 1, 9))["items"][0]["event"]["data"]
        assert data["erased"] is True
        assert "title" not in data["complaint"]


async def test_a_trimmed_mailbox_says_where_it_starts(world: HubWorld) -> None:
    case_id = world.submitted()
    world.clock.turn(days=500)
    world.do(world.request(Verify(case_id, "accept")))
    async with world.serving() as hub:
        await hub.mailboxes.acknowledge(KOTIM, 2)
        assert world.core.rows.trim_mailboxes("2026-01-01T00:00:00.000Z") == 2
        for after in (0, 1):
            with pytest.raises(Erased) as gone:
                await hub.mailboxes.page(KOTIM, after, 10)
            assert gone.value.extra == {"first": 3}
            assert gone.value.status == 410
        with pytest.raises(Erased) as gone:
            await hub.mailboxes.digest(KOTIM, 2, 3)
        assert gone.value.extra == {"first": 3}
        assert gone.value.type_code == "mailbox-trimmed"
        page = await hub.mailboxes.page(KOTIM, 2, 10)
        assert [item["position"] for item in page["items"]] == [3, 4, 5], "two of the clock's before its own"


async def test_two_pollers_of_one_agency_are_both_woken(world: HubWorld) -> None:
    case_id, leg = world.forwarded()
    async with world.serving() as hub:
        head = world.read(lambda s: s.mailbox_state(PUPR).head)
        polls = [asyncio.ensure_future(hub.mailboxes.page(PUPR, head, 10, LONG_S)) for _ in range(2)]
        await hub.writer.submit([world.request(Accept(case_id, leg), PUPR)])
        pages = await asyncio.wait_for(asyncio.gather(*polls), 10)
        assert pages[0] == pages[1]
        assert len(pages[0]["items"]) == 1
        assert hub.mailboxes._waiting == {}
