"""Calendars and policies as dated facts: recorded once, with their changes; running clocks keep theirs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from auth.principal import Principal
from hub.app_core import open_core, record_rules
from hub.domain.agency import HUB, Agency
from hub.domain.commands import Verify
from hub.domain.events import Fact, agency_stream
from hub.domain.policies import DEFAULTS
from hub.domain.working_time import Calendar, DayOff
from hub.errors import Forbidden, Invalid
from hub.service.calendars import official_calendar
from hub.service.requests import ChangeAgency, RecordRules, RegisterAgency, Request
from tests.service.hubworld import AGENCIES, KOTIM, PUPR, STRANGER, HubWorld, principal

FEAST = "2025-03-19"
"""The Wednesday on which a complaint of Friday, 14 March is to be verified."""
ADMINISTRATOR = Principal("operator", HUB, frozenset({"agencies:write"}), "", 0.0)


def rules(world: HubWorld) -> list[Fact]:
    events = world.read(lambda s: s.stream(agency_stream(HUB), 0, 999))
    return [fact for fact in (event.fact() for event in events) if not fact.type.startswith("agency.")]


def with_feast(calendar: Calendar) -> Calendar:
    return replace(calendar, days=calendar.days | {FEAST: DayOff("Hari libur baru", "public")})


def due(world: HubWorld, case_id: str) -> str:
    return str(world.read(lambda s: s.case(case_id)).state.clocks[0].due_at)


def test_a_new_hub_has_the_official_calendar_and_the_default_policies(hub: HubWorld) -> None:
    policies, calendar = rules(hub)
    assert (policies.type, calendar.type) == ("policy.changed", "calendar.changed")
    assert [row["id"] for row in policies.data["policies"]] == [row.id for row in DEFAULTS]
    assert calendar.data["zones"] == ["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
    assert (calendar.data["changes"], calendar.data["agency"]) == ([], None)
    assert {fact.recipients.popitem() for fact in (policies, calendar)} == {(HUB, "agency")}
    record_rules(hub.core)
    assert len(rules(hub)) == 2, "what the log says already is not said again"
    assert hub.difference() is None


def test_a_library_that_changes_a_day(hub: HubWorld) -> None:
    before = hub.submitted("A-1")
    changed = with_feast(official_calendar())
    for _ in range(2):
        hub.core.operate(RecordRules(None, changed, "the library holidays 9.9"))
    (_, _, event) = rules(hub)
    assert event.data["changes"] == [
        {"date": FEAST, "before": None, "after": {"name": "Hari libur baru", "category": "public"}}
    ]
    assert event.data["source"] == "the library holidays 9.9"
    after = hub.submitted("A-2")
    assert (due(hub, before), due(hub, after)) == ("2025-03-19T09:00:00.000Z", "2025-03-20T09:00:00.000Z")
    hub.clock.turn(hours=2)
    hub.do(hub.request(Verify(before, "incomplete", "?")), hub.request(Verify(before, "accept")))
    versions = {clock.calendar for clock in hub.read(lambda s: s.case(before)).state.clocks}
    assert len(versions) == 2, "a running clock keeps its calendar, a new one takes the new"
    assert hub.difference() is None


def test_a_changed_policy(hub: HubWorld) -> None:
    before = hub.submitted("A-1")
    changed = tuple(
        replace(row, id="verification-4wd", amount=4) if row.stage == "verification" else row
        for row in DEFAULTS
    )
    for _ in range(2):
        hub.core.operate(RecordRules(changed))
    (_, _, event) = rules(hub)
    changes = {change["id"]: change for change in event.data["changes"]}
    assert changes["verification-3wd"]["before"]["amount"] == 3
    assert changes["verification-4wd"]["after"]["amount"] == 4
    assert len(changes) == 2
    after = hub.submitted("A-2")
    assert (due(hub, before), due(hub, after)) == ("2025-03-19T09:00:00.000Z", "2025-03-20T09:00:00.000Z")
    with pytest.raises(Invalid):
        hub.core.operate(RecordRules(DEFAULTS[:2]))
    assert len(rules(hub)) == 3


def test_rules_are_the_administrators(world: HubWorld) -> None:
    (result,) = world.run(Request(principal(KOTIM), RecordRules(DEFAULTS[:1])))
    assert isinstance(result, Forbidden)


def test_days_off_are_a_calendar_in_the_same_transaction(hub: HubWorld) -> None:
    before = hub.submitted("A-1")
    last = hub.last_position()
    for _ in range(2):
        hub.core.operate(ChangeAgency(KOTIM, {"days_off": {FEAST: "Hari Jadi Kotawaringin Timur"}}))
    made = [event.fact() for event in hub.read(lambda s: s.events_after(last, 99))]
    assert [(fact.stream, fact.type) for fact in made] == [
        (agency_stream(KOTIM), "agency.changed"),
        (agency_stream(HUB), "calendar.changed"),
    ]
    assert (made[1].data["agency"], made[1].data["zones"]) == (KOTIM, ["Asia/Jakarta"])
    after = hub.submitted("A-2")
    assert (due(hub, before), due(hub, after)) == ("2025-03-19T09:00:00.000Z", "2025-03-20T09:00:00.000Z")
    hub.core.operate(ChangeAgency(KOTIM, {"days_off": {}}))
    assert due(hub, hub.submitted("A-3")) == "2025-03-19T09:00:00.000Z"
    hub.core.operate(ChangeAgency(KOTIM, {"days_off": {FEAST: "Hari Jadi Kotawaringin Timur"}}))
    assert len(rules(hub)) == 3, "a calendar that was recorded before is known"
    assert due(hub, hub.submitted("A-4")) == "2025-03-20T09:00:00.000Z"
    assert hub.difference() is None


def test_the_hubs_own_days_off(world: HubWorld) -> None:
    """Both events go into one stream."""
    world.core.operate(ChangeAgency(HUB, {"days_off": {FEAST: "Libur"}}))
    assert rules(world)[-1].data["agency"] == HUB
    assert world.difference() is None


def test_an_agency_with_days_off_follows_a_changed_official_calendar(hub: HubWorld) -> None:
    hub.core.operate(ChangeAgency(KOTIM, {"days_off": {"2025-03-18": "Hari Jadi"}}))
    hub.core.operate(RecordRules(None, with_feast(official_calendar()), "a newer library"))
    assert [fact.data["agency"] for fact in rules(hub)[-2:]] == [None, KOTIM]
    assert due(hub, hub.submitted()) == "2025-03-21T09:00:00.000Z"


def test_an_agency_of_this_batch_counts_in_its_own_zone(world: HubWorld) -> None:
    agency = Agency("dinkes-merauke", "Dinas Kesehatan Merauke", "unit", time_zone="Asia/Jayapura")
    case_id = world.submitted()
    world.do(world.request(Verify(case_id, "accept")))
    register = Request(ADMINISTRATOR, RegisterAgency(agency))
    results = world.run(register, world.request(world.forwarding(case_id, (agency.id, "lead"))))
    assert [result.status for result in results] == [201, 201]
    leg = world.read(lambda s: s.case(case_id)).state.legs[0]
    assert leg.due_at == "2025-03-21T07:00:00.000Z", "16:00 WIT"


def test_a_calendar_that_the_log_lacks_is_never_counted_by(world: HubWorld) -> None:
    """However it came to be so: the clock counts by one that is there, and can be stopped again."""
    rulebook = world.core.rulebook
    agency = replace(rulebook.agencies[KOTIM], days_off={FEAST: "Hari Jadi"})
    assert rulebook.unknown_calendar(agency) is not None
    assert rulebook.knows(rulebook.running_for(agency))
    world.core.operate(ChangeAgency(KOTIM, {"days_off": {"2025-03-18": "Hari Jadi"}}))
    rulebook.refresh()
    assert "2025-03-18" in rulebook.running_for(agency).days, "its own that was recorded last"


def test_a_hub_from_before_records_them_when_it_starts(
    world_factory: Callable[[str], HubWorld], data_folder: Any
) -> None:
    """A log without rules, and a case of that time: its clocks start with its next event."""
    old = world_factory("old")
    old.core.rulebook.rows = ()
    old.core.rulebook._official.clear()
    assert old.core.rulebook.is_empty
    case_id = old.submitted()
    assert old.read(lambda s: s.case(case_id)).state.clocks == ()
    old.sql("DELETE FROM dated_facts")
    old.sql("DELETE FROM log WHERE stream = ? AND sequence > 1", agency_stream(HUB))
    head = old.read(lambda s: s.stream(agency_stream(HUB), 0, 1))[0].sequence
    assert head == 1
    with open_core(old.core.settings, old.clock) as core:
        assert not core.rulebook.is_empty
    old.core.rulebook.read_again()
    old.do(old.request(Verify(case_id, "accept")))
    assert [clock.stage for clock in old.read(lambda s: s.case(case_id)).state.clocks] == ["verification"]


def test_tables_without_rules_are_no_log_without_rules(
    world_factory: Callable[[str], HubWorld],
) -> None:
    """They are for a rebuild to fill: nothing is recorded anew, least of all the defaults over what the
    operator set."""
    hub = world_factory("damaged")
    hub.core.operate(RecordRules((replace(DEFAULTS[0], amount=7, id="lain"), *DEFAULTS[1:])))
    before = hub.last_position()
    hub.sql("DELETE FROM dated_facts")
    with open_core(hub.core.settings, hub.clock) as core:
        assert core.rulebook.is_empty
        with core.store.read() as session:
            assert session.last_position() == before
    assert "dated_facts" in (hub.difference() or "")


@pytest.mark.postgres
def test_two_that_record_at_once_record_one(hubs: tuple[HubWorld, HubWorld]) -> None:
    changed, barrier = with_feast(official_calendar()), threading.Barrier(2)

    def record(world: HubWorld) -> None:
        command = Request(ADMINISTRATOR, RecordRules(DEFAULTS, changed, "a newer library"))
        barrier.wait()
        while world.run(command)[0].status != 200:  # the other one holds the stream
            pass

    threads = [threading.Thread(target=record, args=(world,)) for world in hubs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [fact.type for fact in rules(hubs[0])] == [
        "policy.changed",
        "calendar.changed",
        "calendar.changed",
    ]


@pytest.mark.postgres
def test_what_another_process_recorded_a_moment_ago_is_read_under_the_lock(
    hubs: tuple[HubWorld, HubWorld],
) -> None:
    """Its commit lets go of the stream before anybody hears of it."""
    here, there = hubs
    command = RecordRules(None, with_feast(official_calendar()), "a newer library")
    there.core.rulebook.refresh()
    stale = there.core.rulebook._generation
    there.core.rulebook._current_generation = lambda: stale  # it hears of nothing
    here.core.operate(command)
    there.core.operate(command)
    there.core.operate(ChangeAgency(PUPR, {"days_off": {"2025-03-18": "Libur"}}))
    assert len(rules(here)) == 4
    assert rules(here)[-1].data["agency"] == PUPR


@pytest.mark.postgres
def test_what_another_process_changed_holds_from_the_next_batch_on(
    hubs: tuple[HubWorld, HubWorld],
) -> None:
    here, there = hubs
    assert due(there, there.submitted("A-1")) == "2025-03-19T09:00:00.000Z"
    here.core.operate(ChangeAgency(KOTIM, {"days_off": {FEAST: "Hari Jadi"}}))
    assert due(there, there.submitted("A-2")) == "2025-03-20T09:00:00.000Z"
    rows = [replace(r, id="verification-9wd", amount=9) if r.stage == "verification" else r for r in DEFAULTS]
    here.core.operate(RecordRules(tuple(rows)))
    assert due(there, there.submitted("A-3")) > "2025-03-27"
    assert {agency.id for agency in AGENCIES} <= there.core.rulebook.agencies.keys()
    assert STRANGER in there.core.rulebook.agencies
    assert there.difference() is None


def test_the_moment_counts_that_the_agencys_calendar_says(world: HubWorld) -> None:
    """23:59 on a Friday in Jayapura is still Friday there: the first day is Monday."""
    world.core.operate(ChangeAgency(KOTIM, {"time_zone": "Asia/Jayapura"}))
    world.clock.moment = datetime(2025, 3, 14, 14, 59, tzinfo=UTC)
    assert due(world, world.submitted()) == "2025-03-19T07:00:00.000Z"
