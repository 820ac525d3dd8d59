"""Retention: an ended case whose time is over is erased as `simpul erase` does it, once, and no other is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from hub.app_core import open_core
from hub.app_sweeps import sweeps
from hub.cli.main import main as simpul
from hub.domain.case import CaseState
from hub.domain.commands import Close, EraseRetained, Link, Reopen, Verify
from hub.domain.plausible import SETTLED, InStep
from hub.domain.policies import ANY, DEFAULTS, RETENTION, Policy
from hub.domain.threads.commands import Conclude, WakeThread
from hub.service.intake import ComplaintCodes
from hub.service.readers import Readers
from hub.service.requests import BY_ITSELF, CLOCK, RecordRules, Request
from hub.service.sweeps import CHUNK, held
from hub.settings import Settings
from tests.erasure.erasurework import IDENTITY, MASKED, ErasureWorld, erasure_world
from tests.service.clockwork import Straight, facts
from tests.service.hubworld import KOTIM, PUPR, TurnedClock

FIVE = Policy("jra-5y", ANY, RETENTION, 5, "years", "2020-01-01", "JRA Kabupaten Kotawaringin Timur")
LATER = datetime(2031, 1, 1, tzinfo=UTC)


class Writer(Straight):
    """Jobs too."""

    async def run(self, job: Any) -> Any:
        return job()


def keep(world: ErasureWorld, *rows: Policy) -> None:
    world.core.operate(RecordRules((*DEFAULTS, *rows)))
    world.core.rulebook.refresh()


def for_a_day(clock: TurnedClock) -> InStep:
    """A process that has run so long with a clock that is right; of others `tests/service/` tells."""
    run = InStep()
    run.seen(clock.now() - SETTLED, clock.monotonic() - SETTLED.total_seconds())
    return run


async def swept(world: ErasureWorld, writer: Writer | None = None) -> int:
    readers = Readers(world.core.store, 1)
    try:
        run = for_a_day(world.clock)
        _, sweep = sweeps(world.core, readers, writer or Writer(world.core.runner), run)  # type: ignore[arg-type]
        return await sweep.once()
    finally:
        readers.close()


def closed(world: ErasureWorld, reference: str = "PGD-1", **changes: Any) -> str:
    case_id = world.told(reference, **changes)
    world.do(world.request(Close(case_id, "resolved", "Pelapor puas.")))
    return case_id


def state(world: ErasureWorld, case_id: str) -> CaseState:
    found: CaseState = world.read(lambda s: s.case(case_id)).state
    return found


async def test_it_goes_as_by_hand_once_its_time_is_over(world: ErasureWorld) -> None:
    keep(world, FIVE)
    case_id = closed(world)
    room = world.room(case_id)
    world.clock.turn(days=90)
    world.do(Request(BY_ITSELF, WakeThread(room)))  # the promise was missed
    world.do(world.request(Conclude(room, "Selesai dibahas.", despite_open_commitments=True)))
    world.clock.moment = datetime(2030, 3, 14, 2, 0, tzinfo=UTC)
    assert await swept(world) == 0, "the very moment is still kept"
    world.clock.turn(milliseconds=1)
    assert await swept(world) == 1
    last = facts(world, case_id)[-1]  # type: ignore[arg-type]
    assert (last.type, last.actor, last.data["reason"]) == ("reporter.erased", "hub", "retention")
    known = state(world, case_id)
    assert known.erasure is not None and known.erasure.receipts == {KOTIM: None, PUPR: None}
    assert world.read(lambda s: s.thread(room)).texts is None
    assert [line.case_id for line in world.lines()] == [case_id]
    world.core.store.purge()
    assert world.found((*MASKED, *IDENTITY)) == set()
    assert await swept(world) == 0
    assert world.difference() is None


async def test_without_a_row_nothing_ever_goes(world: ErasureWorld) -> None:
    closed(world)
    world.clock.moment = datetime(2999, 1, 1, tzinfo=UTC)
    assert await swept(world) == 0


async def test_none_goes_that_is_open_reopened_or_linked_with_an_open_one(world: ErasureWorld) -> None:
    keep(world, replace(FIVE, amount=1, unit="months"))
    is_open, again, linked, goes = (world.told(f"P-{n}") for n in range(4))
    other = world.submitted("M-1")
    for case_id in (again, linked, goes):
        world.do(world.request(Close(case_id, "resolved")))
    world.do(world.request(Link(linked, other, "related")), world.request(Reopen(again, "Rusak lagi.")))
    world.clock.moment = LATER
    assert await swept(world) == 1
    assert [state(world, each).erased for each in (is_open, again, linked, goes)] == [False] * 3 + [True]
    world.do(world.request(Verify(other, "reject", "Bukan laporan.")))
    assert await swept(world) == 1, "what held it has ended; that one has its own time before it"
    assert [state(world, each).erased for each in (linked, other)] == [True, False]
    assert world.difference() is None


async def test_none_goes_about_which_agencies_still_work_together(world: ErasureWorld) -> None:
    """A thread that is open holds it, and so does a promise that is not due yet."""
    keep(world, replace(FIVE, amount=1, unit="months"))
    discussed, promised, goes = (closed(world, f"P-{n}") for n in range(3))
    is_open, owing = world.room(discussed), world.room(promised)
    world.clock.moment = datetime(2025, 5, 25, 2, 0, tzinfo=UTC)
    world.do(world.request(Conclude(owing, "Selesai dibahas.", despite_open_commitments=True)))
    assert await swept(world) == 1
    assert [state(world, each).erased for each in (discussed, promised, goes)] == [False, False, True]
    for case_id, thread in ((discussed, is_open), (promised, owing)):
        told = world.read(lambda s, name=case_id: held(s, s.case(name).state))
        assert thread in told, told
        (result,) = world.run(Request(BY_ITSELF, EraseRetained(case_id)))
        assert result.replayed and not state(world, case_id).erased, "decided again in the transaction"
    world.do(world.request(Conclude(is_open, "Selesai dibahas.", despite_open_commitments=True)))
    assert await swept(world) == 0, "what was promised there is not due yet"
    world.clock.moment = LATER
    world.do(*[Request(BY_ITSELF, WakeThread(each)) for each in (is_open, owing)])
    assert await swept(world) == 2, "a promise that was missed holds nothing in a thread that has ended"
    assert world.difference() is None


def test_a_command_that_is_too_early_or_comes_after_a_reopening_erases_nothing(world: ErasureWorld) -> None:
    keep(world, FIVE)
    case_id = closed(world)
    early = Request(BY_ITSELF, EraseRetained(case_id))
    assert BY_ITSELF.client_id == CLOCK
    (result,) = world.run(early)
    assert result.replayed and not state(world, case_id).erased
    world.do(world.request(Reopen(case_id, "Rusak lagi.")))
    world.clock.turn(days=4)
    (result,) = world.run(early)
    assert result.replayed and not state(world, case_id).erased
    assert world.lines() == [] and world.difference() is None


async def test_a_schedule_of_today_is_for_older_cases_too(world: ErasureWorld) -> None:
    """And a longer one keeps what the shorter one would have given up."""
    case_id = closed(world)
    world.clock.moment = LATER
    keep(world, FIVE, replace(FIVE, id="jra-10y", amount=10, valid_from="2030-01-01"))
    assert await swept(world) == 0
    keep(world, FIVE)
    assert await swept(world) == 1
    assert state(world, case_id).erased


async def test_many_go_in_small_transactions_oldest_first(world: ErasureWorld) -> None:
    keep(world, replace(FIVE, amount=1), replace(FIVE, id="asp", classification="aspiration", amount=9))
    many = [closed(world, f"A-{n}") for n in range(CHUNK + 4)]
    aspiration = closed(world, "B-1", classification="aspiration")
    world.clock.moment = LATER
    writer = Writer(world.core.runner)
    assert await swept(world, writer) == len(many)
    assert writer.sizes == [CHUNK, 4]
    assert not state(world, aspiration).erased
    assert world.difference() is None


@pytest.mark.parametrize("settings", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_two_processes_erase_each_case_once(settings: Settings, codes: ComplaintCodes) -> None:
    clock = TurnedClock()
    with erasure_world(settings, codes, clock) as world, open_core(settings, clock) as other:
        keep(world, FIVE)
        many = [closed(world, f"A-{n}") for n in range(24)]
        clock.moment = LATER
        there = ErasureWorld(other, clock, world.desk)
        other.rulebook.refresh()
        async with world.serving() as one, there.serving() as two:
            walks = [sweeps(each.core, serving.readers, serving.writer, for_a_day(clock))[1]
                     for each, serving in ((world, one), (there, two))]  # fmt: skip
            await asyncio.gather(*[walk.once() for walk in walks])
        kinds = [[fact.type for fact in facts(world, case_id)] for case_id in many]  # type: ignore[arg-type]
        assert [each.count("reporter.erased") for each in kinds] == [1] * len(many)
        assert world.difference() is None


def test_the_command_lists_what_would_go_and_changes_nothing(
    settings: Settings, codes: ComplaintCodes
) -> None:
    clock = TurnedClock(
        datetime(2020, 3, 14, 2, 0, tzinfo=UTC)
    )  # the command itself knows no other than today's
    with erasure_world(settings, codes, clock) as world:
        keep(world, FIVE)
        goes = closed(world, "A-1", submitted_at="2020-03-13T09:26:53+07:00")
        clock.turn(days=400)
        stays = closed(world, "A-2", submitted_at="2020-03-13T09:26:53+07:00")
        environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LOG_LEVEL": "warning"}
        if settings.on_postgres:
            environment["SIMPUL_DATABASE_URL"] = str(settings.database)

        def told(*arguments: str) -> list[dict[str, Any]]:
            result = CliRunner(env=environment).invoke(simpul, arguments)
            assert result.exit_code == 0, result.output + result.stderr
            return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]

        (first,) = told("retention", "--until", "2025-03-14")
        assert first["case_id"] == goes and first["kept_until"] == "2025-03-14T02:00:00.000Z"
        assert (first["policy"], first["held"], first["owner"]) == ("jra-5y", None, KOTIM)
        assert [each["case_id"] for each in told("retention", "--until", "2026-12-31")] == [goes, stays]
        assert told("retention", "--until", "2025-03-13") == []
        assert not state(world, goes).erased
        shown = CliRunner(env=environment).invoke(simpul, ["deadlines", goes]).stdout
        assert "erased after 2025-03-14T02:00:00.000Z (jra-5y, 5 years)" in shown
        assert "JRA Kabupaten Kotawaringin Timur" in shown


def test_it_says_so_where_no_row_gives_a_time(settings: Settings, codes: ComplaintCodes) -> None:
    with erasure_world(settings, codes) as world:
        case_id = closed(world)
    environment = {"SIMPUL_DATA_DIR": str(settings.data_dir), "SIMPUL_LOG_LEVEL": "warning"}
    if settings.on_postgres:
        environment["SIMPUL_DATABASE_URL"] = str(settings.database)
    result = CliRunner(env=environment).invoke(simpul, ["retention"])
    assert (result.exit_code, result.stdout) == (0, "") and "nothing is erased" in result.stderr
    shown = CliRunner(env=environment).invoke(simpul, ["deadlines", case_id]).stdout
    assert "kept without limit" in shown
