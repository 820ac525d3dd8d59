"""What was promised in a thread ends with it: nobody owes it, and nobody is told that it was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain.commands import Erase
from hub.domain.threads.commands import WakeThread
from hub.domain.threads.succession import is_concerned
from hub.service.requests import BY_ITSELF, Request
from tests.api.conftest import Caller, forwarded
from tests.erasure.erasurework import REASON, ErasureWorld
from tests.service.clockwork import wake
from tests.service.hubworld import KOTIM, PUPR, principal

LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)


async def promised(app: Caller, *cases: str, to: str = "kementerian-pupr") -> tuple[str, str]:
    """A thread about the cases, in which the ministry owes something."""
    body = {"subject": "Urusan gorong-gorong", "cases": list(cases), "participants": [to]}
    thread = (await app.post("/v1/threads", body)).json
    due_on = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    owed = {"agency": to, "text": "Meminjamkan ekskavator kuning", "due_on": due_on}
    reply = await app.post(f"/v1/threads/{thread['id']}/commitments", owed)
    assert reply.status == 201, reply.text
    return thread["id"], reply.json["id"]


async def owed(caller: Caller, query: str = "") -> list[str]:
    reply = await caller.get(f"/v1/commitments?limit=1{query}")
    found = [each["id"] for each in reply.json["items"]]
    while reply.json["next"]:
        reply = await caller.get(f"/v1/commitments?limit=1&cursor={reply.json['next']}{query}")
        found += [each["id"] for each in reply.json["items"]]
    return found


@pytest.mark.parametrize("query", ["", "&status=open", "&agency=kementerian-pupr"])
async def test_they_are_owed_no_more(app: Caller, ministry: Caller, query: str) -> None:
    one, two = [(await forwarded(app))[0] for _ in range(2)]
    _, ends = await promised(app, one)
    _, stays = await promised(app, one, two)
    assert sorted(await owed(ministry, query)) == sorted([ends, stays])
    reason = {"reason": "Permintaan pelapor."}
    assert (await app.post(f"/v1/cases/{one}/erasure", reason)).status == 200
    for caller in (app, ministry):
        assert await owed(caller, query) == [stays], "the thread about another case goes on"
        case = (await caller.get(f"/v1/cases/{one}")).json
        assert [each["id"] for each in case["commitments"]] == [stays]
    assert (await app.post(f"/v1/cases/{two}/erasure", reason)).status == 200
    assert await owed(app, query) == await owed(ministry, query) == []


async def test_what_is_due_later_is_not_missed(world: ErasureWorld) -> None:
    case_id = world.told()
    name = world.room(case_id)
    world.erase(case_id)
    world.clock.moment = LONG_AFTER
    assert await wake(world) == 0
    assert missed(world, name) == []
    assert world.difference() is None


async def test_the_clock_and_the_erasure_in_one_batch(world: ErasureWorld) -> None:
    """Late already, and erased before the hub told of it: whichever is first, the tables are as the log."""
    for number, erase_first in enumerate((True, False)):
        world.clock.moment = datetime(2025, 3, 14, 2, 0, tzinfo=UTC)
        case_id = world.told(f"P-{number}")
        name = world.room(case_id)
        world.clock.moment = LONG_AFTER
        pair = [Request(principal(KOTIM), Erase(case_id, REASON)), Request(BY_ITSELF, WakeThread(name))]
        results = world.run(*(pair if erase_first else pair[::-1]))
        assert [result.status for result in results] == [200, 200]
        assert len(missed(world, name)) == (0 if erase_first else 1)
    assert world.difference() is None


async def test_a_successor_takes_over_nothing_that_is_gone(world: ErasureWorld) -> None:
    case_id = world.told()
    name = world.room(case_id)
    world.erase(case_id)
    thread = world.read(lambda s: s.thread(name))
    assert not is_concerned(thread, PUPR)


def missed(world: ErasureWorld, thread_id: str) -> list[Any]:
    events = world.read(lambda s: s.stream(f"thread/{thread_id}", 0, 999))
    return [event for event in events if event.fact().type == "thread.commitment_missed"]
