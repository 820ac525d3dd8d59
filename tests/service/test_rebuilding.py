"""The tables follow from the log and from nothing else: rebuilt, compared, healed; every damage is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from hub.domain.commands import Accept, Answer, Close, Progress, Reopen, Return, Tick, Verify, Withdraw
from hub.domain.policies import DEFAULTS
from hub.domain.working_time import Calendar, DayOff
from hub.errors import SimpulError, StoreUnavailable
from hub.ports.sealing import SealBroken
from hub.service.calendars import official_calendar
from hub.service.rebuild import LogBroken
from hub.service.requests import ChangeAgency, RecordRules, Request
from hub.store.projections import first_difference
from hub.store.rebuilding import rebuild_in_place
from hub.store.tables import PROJECTIONS
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, HubWorld, statuses

HANDLERS = (PUPR, PLN, MEDAN)
STEP = st.tuples(
    st.sampled_from(
        ["submit", "submit", "verify", "verify", "forward", "forward", "accept", "accept", "return",
         "progress", "answer", "answer", "withdraw", "close", "reopen", "repeat", "crash"]
    ),
    st.integers(0, 9),
    st.integers(0, 9),
)  # fmt: skip
SLOW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def requests_of(world: HubWorld, steps: list[tuple[str, int, int]]) -> list[Request]:
    """Requests that hang together, made without looking at any state; many will be refused."""
    made = [world.submission("S-0"), world.submission("S-1", MEDAN)]
    cases = [(made[0].case_id or "", KOTIM), (made[1].case_id or "", MEDAN)]
    legs: list[tuple[str, str, str, str]] = []
    for action, pick, other in steps:
        case_id, owner = cases[pick % len(cases)]
        leg_case, leg, holder, sender = (
            legs[pick % len(legs)] if legs else (case_id, "tidak-ada", PUPR, owner)
        )
        if action == "submit":
            request = world.submission(f"S-{len(made)}", (KOTIM, MEDAN)[other % 2])
            cases.append((request.case_id or "", (KOTIM, MEDAN)[other % 2]))
        elif action == "repeat":
            request = made[other % len(made)]
        elif action == "crash":
            request = world.request(Verify(case_id, "mungkin", "x"), owner)
        elif action == "forward":
            to = [(name, "lead" if n == 0 and other % 3 else "support") for n, name in enumerate(HANDLERS)]
            command = world.forwarding(
                case_id, *to[other % 2 : other % 2 + 1 + pick % 2], note="Mohon dicek."
            )
            legs += [(case_id, each.leg_id, each.agency, owner) for each in command.to]
            request = world.request(command, owner, key=f"f{len(made)}")
        elif action in ("verify", "close", "reopen"):
            decision = ("accept", "accept", "incomplete", "reject")[other % 4]
            choice = {
                "verify": Verify(case_id, decision, "Kurang."),
                "close": Close(case_id, "archived", "Arsip."),
            }
            request = world.request(choice.get(action) or Reopen(case_id, "Lagi."), owner)
        else:
            leg_commands: dict[str, Any] = {
                "accept": Accept(leg_case, leg),
                "return": Return(leg_case, leg, "not_ours", "Bukan kami."),
                "progress": Progress(leg_case, leg, "Dikerjakan."),
                "answer": Answer(leg_case, leg, "Selesai."),
                "withdraw": Withdraw(leg_case, leg, "Digabung."),
            }
            request = world.request(leg_commands[action], sender if action == "withdraw" else holder)
        made.append(request)
    return made


counter = iter(range(10**6))


@SLOW
@given(steps=st.lists(STEP, min_size=30, max_size=60), cut=st.integers(2, 40))
def test_batches_of_any_size_give_the_same_tables_as_one_by_one(
    steps: list[tuple[str, int, int]], cut: int, world_factory: Callable[[str], HubWorld]
) -> None:
    number = next(counter)
    alone, together = world_factory(f"alone-{number}"), world_factory(f"together-{number}")
    requests = requests_of(alone, steps)
    one_by_one = [alone.run(request)[0] for request in requests]
    batched = [r for i in range(0, len(requests), cut) for r in together.run(*requests[i : i + cut])]
    assert statuses(batched) == statuses(one_by_one)
    assert [getattr(r, "ids", None) for r in batched] == [getattr(r, "ids", None) for r in one_by_one]
    with alone.core.store.connection() as left, together.core.store.connection() as right:
        assert first_difference(left, right) is None
    assert alone.difference() is None
    assert together.difference() is None
    before = rows(together)
    rebuild_in_place(together.core.store, together.fold)
    assert rows(together) == before


def test_a_rebuild_that_is_no_longer_alone_changes_nothing(world: HubWorld) -> None:
    """As when its connection is cut while it works, and a hub begins to write."""
    world.whole_life("PGD-1")
    with world.core.store.writing() as connection:
        connection.execute("UPDATE cases SET status = 'closed'")
    before = rows(world)

    def lost() -> None:
        raise StoreUnavailable("cut")

    with pytest.raises(StoreUnavailable):
        rebuild_in_place(world.core.store, world.fold, lost)
    assert rows(world) == before


def names(columns: Any) -> str:
    return ", ".join(column.name for column in columns if column.name != "generation")


def rows(world: HubWorld) -> dict[str, list[Any]]:
    with world.core.store.connection() as connection:
        return {
            table.name: connection.execute(
                f"SELECT {names(table.columns)} FROM {table.name} ORDER BY {names(table.primary_key.columns)}"
            ).fetchall()
            for table in PROJECTIONS
        }


@pytest.fixture
def lived(world: HubWorld) -> HubWorld:
    """A hub with two cases of many events; `case_id` is the first of them."""
    world.whole_life("PGD-1")
    world.whole_life("PGD-2")
    assert world.difference() is None
    return world


TABLE_DAMAGE = [
    ("UPDATE cases SET status = 'closed' WHERE id = (SELECT min(id) FROM cases)", "cases.*differs.*status"),
    ("UPDATE cases SET texts = NULL WHERE id = (SELECT min(id) FROM cases)", "cases.*differs.*texts"),
    ("UPDATE cases SET state = replace(CAST(state AS TEXT), 'kotim', 'kotin')", "cases.*differs.*state"),
    ("DELETE FROM cases WHERE id = (SELECT min(id) FROM cases)", "cases: the row id=.* is missing"),
    ("DELETE FROM cases WHERE id = (SELECT max(id) FROM cases)", "cases: the row id=.* is missing"),
    ("DELETE FROM cases", "cases: the row id=.* is missing"),
    ("INSERT INTO legs VALUES ('0', 'x')", "legs: the row id=0 is there, but nothing"),
    ("INSERT INTO legs VALUES ('z', 'x')", "legs: the row id=z is there, but nothing"),
    ("DELETE FROM legs WHERE id = (SELECT min(id) FROM legs)", "legs: .* is missing"),
    ("UPDATE case_agencies SET role = 15 WHERE agency = 'kemen-pupr'", "case_agencies.*differs.*role"),
    ("DELETE FROM case_references WHERE reference = 'PGD-1'", "case_references.*reference=PGD-1 is missing"),
    ("UPDATE agencies SET document = replace(CAST(document AS TEXT), 'PLN', 'PNL')", "agencies.*document"),
    ("UPDATE mailbox SET event = event + 1 WHERE agency = 'pln-kalteng' AND position = 2", "position=2 diff"),
    ("DELETE FROM mailbox WHERE agency = 'pln-kalteng' AND position = 2", "position=2 is missing"),
    ("INSERT INTO mailbox VALUES ('bpjs', 99, 1)", "agency=bpjs, position=99 is there, but nothing"),
    ("UPDATE cases SET next_wake = '9' WHERE id = (SELECT min(id) FROM cases)", "cases.*differs.*next_wake"),
    ("UPDATE cases SET next_wake = NULL", "cases.*differs.*next_wake"),
    ("UPDATE case_agencies SET overdue = NOT overdue WHERE agency = 'kemen-pupr'", "agencies.*overdue"),
    ("UPDATE dated_facts SET sequence = 99 WHERE kind = 'policies'", "policies, name=hub differs.*sequence"),
    ("UPDATE dated_facts SET document = replace(CAST(document AS TEXT), '07:30', '08:00')", "facts.*docum"),
    ("DELETE FROM dated_facts WHERE kind = 'calendar'", "dated_facts: the row kind=calendar.* is missing"),
    ("INSERT INTO dated_facts VALUES ('calendar', '0', 1, x'')", "name=0 is there, but nothing"),
    ("UPDATE mailboxes SET head = 99 WHERE agency = 'bpjs'", "mailboxes.*agency=bpjs differs.*head"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "named"), TABLE_DAMAGE, ids=lambda value: value[:40])
def test_damage_to_the_tables_is_named_and_healed(lived: HubWorld, damage: str, named: str) -> None:
    before = rows(lived)
    lived.sql(damage)
    found = lived.difference()
    assert found is not None
    assert re.search(named, found), found
    events = rebuild_in_place(lived.core.store, lived.fold)
    assert events == lived.last_position()
    assert lived.difference() is None
    assert rows(lived) == before


def test_what_time_has_done_is_in_the_log(world: HubWorld) -> None:
    """Cases that are late, that have closed, that wake; calendars and policies that changed on the way."""
    late, waiting = world.submitted("PGD-1"), world.forwarded(reference="PGD-2")[0]
    before = official_calendar()
    days = dict(before.days) | {"2025-03-20": DayOff("Hari jadi", "government")}
    rows_of = (*DEFAULTS, replace(DEFAULTS[0], id="verification-1wd", amount=1, valid_from="2025-03-15"))
    world.core.operate(ChangeAgency(PUPR, {"days_off": {"2025-03-21": "Hari bakti"}}))
    world.core.operate(RecordRules(rows_of, Calendar(days, before.known_until), "buatan"))
    world.clock.turn(days=30)
    for case_id in (late, waiting):
        world.core.operate(Tick(case_id))
    world.submitted("PGD-3")
    world.core.operate(RecordRules(DEFAULTS, before, "semula"))
    with world.core.store.connection() as connection:
        waking = connection.execute("SELECT count(next_wake), count(*) FROM cases").fetchone()
        overdue = connection.execute("SELECT DISTINCT case_id FROM case_agencies WHERE overdue").fetchall()
        facts = connection.execute("SELECT count(*) FROM dated_facts").fetchone()[0]
    assert waking[0] < waking[1], "one has nothing more to say"
    assert sorted(overdue) == [(late,), (waiting,)]
    assert facts >= 3 + 3 + 1 + 1, "both calendars in three zones, the agency's own, the policies"
    assert world.difference() is None
    stored = rows(world)
    rebuild_in_place(world.core.store, world.fold)
    assert rows(world) == stored


LOG_DAMAGE = [
    ("UPDATE log SET header = CAST(replace(CAST(header AS TEXT), 'PGD-1', 'PGD-9') AS BLOB) "
     "WHERE position = 12", "position 12.*bytes"),
    ("UPDATE log SET sealed = CAST(substr(sealed, 1, 40) || "
     "iif(substr(sealed, 41, 1) = x'00', x'01', x'00') || substr(sealed, 42) AS BLOB) "
     "WHERE position = 12", "position 12.*bytes"),
    ("UPDATE log SET chain = zeroblob(32) WHERE position = 12", "position 12.*bytes"),
    ("UPDATE log SET sealed = NULL WHERE position = 12", "position 12.*bytes"),
    ("UPDATE log SET id = '0195a1b2-0000-7000-8000-000000000001' WHERE position = 1", "position 1 "),
    ("DELETE FROM log WHERE position = 12", "12|is followed by"),
    ("DELETE FROM log WHERE position = (SELECT max(position) FROM log)", "is there, but nothing|differs"),
    ("DELETE FROM stream_keys WHERE stream = (SELECT min(id) FROM cases)", "never erased.*key is gone"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "named"), LOG_DAMAGE, ids=lambda value: value[:48])
def test_damage_to_the_log_is_named(lived: HubWorld, damage: str, named: str) -> None:
    before = rows(lived)
    lived.sql(damage)
    try:
        found = lived.difference()
    except LogBroken as broken:
        found = str(broken)
        with pytest.raises(LogBroken):
            rebuild_in_place(lived.core.store, lived.fold)
        assert rows(lived) == before, "a rebuild that cannot be finished changes nothing"
    assert found is not None
    assert re.search(named, found), found


def test_a_key_that_was_exchanged_is_found(lived: HubWorld) -> None:
    lived.sql("UPDATE stream_keys SET wrapped = zeroblob(60) WHERE stream = (SELECT min(id) FROM cases)")
    with pytest.raises((SealBroken, SimpulError)):
        lived.difference()


def test_a_check_changes_nothing_and_leaves_nothing_behind(lived: HubWorld) -> None:
    folder = lived.core.settings.data_dir
    before, files = rows(lived), sorted(file.name for file in folder.iterdir())
    assert lived.difference() is None
    assert (rows(lived), sorted(file.name for file in folder.iterdir())) == (before, files)


def test_trim_points_are_no_difference_and_stay_through_a_rebuild(lived: HubWorld) -> None:
    lived.core.rows.put_cursor(KOTIM, 5)
    assert lived.core.rows.trim_mailboxes("2026-01-01T00:00:00.000Z") == 5
    assert lived.difference() is None
    before = rows(lived)
    rebuild_in_place(lived.core.store, lived.fold)
    assert rows(lived) == before
    assert lived.difference() is None


def test_the_hub_goes_on_after_a_rebuild(lived: HubWorld) -> None:
    rebuild_in_place(lived.core.store, lived.fold)
    generation = lived.core.store.registry_generation()
    lived.core.registry.refresh()
    assert lived.core.registry.generation == generation
    lived.whole_life("PGD-3")
    assert lived.difference() is None
