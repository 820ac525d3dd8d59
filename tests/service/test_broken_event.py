"""One event whose sealed words were altered: it keeps its place, withheld, and holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from hub.domain.commands import Return
from hub.ports.sealing import KeyUnavailable
from hub.ports.store import CaseFilter
from hub.service.rebuild import LogBroken
from tests.service.hubworld import KOTIM, PUPR, HubWorld, principal

BROKEN_AT = 2
"""The event's place in its mailbox, behind the agency's own registration."""
DAMAGE = {
    "a byte": "UPDATE log SET sealed = CAST(substr(sealed, 1, 40) || "
    "iif(substr(sealed, 41, 1) = x'00', x'01', x'00') || substr(sealed, 42) AS BLOB) "
    "WHERE stream = ? AND sequence = 1",
    "cut": "UPDATE log SET sealed = CAST(substr(sealed, 1, 30) AS BLOB) WHERE stream = ? AND sequence = 1",
    "gone": "UPDATE log SET sealed = NULL WHERE stream = ? AND sequence = 1",
}


@pytest.fixture
def case_id(world: HubWorld) -> str:
    case_id = world.submitted("PGD-1")
    world.submitted("PGD-2")
    return case_id


@pytest.fixture
def lines() -> Iterator[list[structlog.typing.EventDict]]:  # type: ignore[name-defined]
    with capture_logs() as found:
        yield found  # type: ignore[misc]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_pull_goes_on_beyond_it(world: HubWorld, case_id: str, damage: str, lines: list) -> None:
    world.sql(DAMAGE[damage], case_id)
    async with world.serving() as hub:
        for _ in range(3):
            items = (await hub.mailboxes.page(KOTIM, 0, 9))["items"]
        digest = await hub.mailboxes.digest(KOTIM, 1, 9)
    assert [item["position"] for item in items] == [1, BROKEN_AT, BROKEN_AT + 1]
    broken, sound = items[1]["event"], items[2]["event"]
    assert broken["data"] == {"withheld": True}
    assert (broken["subject"], broken["type"]) == (case_id, "id.simpul.complaint.submitted.v1")
    assert sound["data"]["complaint"]["title"].startswith("Lampu")
    assert digest["count"] == 3
    (told,) = [line for line in lines if line["event"] == "event_cannot_be_opened"]
    assert set(told) == {"event", "log_level", "event_id", "log_position", "cause"}
    assert (told["event_id"], told["log_level"]) == (broken["id"], "error")
    assert "Lampu" not in str(told)


@pytest.mark.parametrize("damage", DAMAGE)
async def test_the_history_shows_its_place(world: HubWorld, damage: str) -> None:
    case_id, _ = world.forwarded()
    world.sql(DAMAGE[damage], case_id)
    async with world.serving() as hub:
        events, _, _ = await hub.reading.history(principal(KOTIM), case_id, 0, 99)
    assert [int(event["sequence"]) for event in events] == list(range(1, world.version(case_id) + 1))
    assert [event["data"].get("withheld", False) for event in events] == [True] + [False] * (len(events) - 1)


@pytest.mark.parametrize("damage", DAMAGE)
async def test_a_former_agency_still_lists_its_cases(world: HubWorld, damage: str) -> None:
    """Its view is folded from the events: what cannot be opened adds no words to it."""
    case_id, leg = world.forwarded((PUPR, "lead"))
    world.do(world.request(Return(case_id, leg, "not_ours", "Bukan aset kami."), PUPR))
    world.sql(DAMAGE[damage], case_id)
    async with world.serving() as hub:
        items, _ = await hub.reading.cases(principal(PUPR), CaseFilter(), None, 9)
    assert [item["id"] for item in items] == [case_id]
    assert items[0]["status"] == "verified"
    assert "title" not in items[0]["complaint"]


async def test_an_altered_key_withholds_the_events_of_its_case_alone(world: HubWorld, case_id: str) -> None:
    world.sql("UPDATE stream_keys SET wrapped = zeroblob(60) WHERE stream = ?", case_id)
    async with world.serving() as hub:
        items = (await hub.mailboxes.page(KOTIM, 0, 9))["items"]
    assert [item["event"]["data"].get("withheld", False) for item in items] == [False, True, False]


async def test_a_missing_master_key_is_no_events_fault(world: HubWorld, case_id: str) -> None:
    """The data beside another key file: nothing is passed off as withheld, the hub says what it lacks."""
    world.sql("UPDATE stream_keys SET generation = 99 WHERE stream = ?", case_id)
    async with world.serving() as hub:
        with pytest.raises(KeyUnavailable):
            await hub.mailboxes.page(KOTIM, 0, 9)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_check_of_the_log_still_fails_on_it(world: HubWorld, case_id: str, damage: str) -> None:
    assert world.difference() is None
    world.sql(DAMAGE[damage], case_id)
    with pytest.raises(LogBroken, match="bytes"):
        world.difference()
