"""A clock that is ahead lets no retention be over; a hub that was off for months erases a day later."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from hub.app_sweeps import sweeps
from hub.cli.main import main as simpul
from hub.domain.commands import Close
from hub.domain.policies import ANY, DEFAULTS, RETENTION, Policy
from hub.service.readers import Readers
from hub.service.requests import RecordRules
from hub.service.sweeps import Sweep, recorded_before
from tests.service.clockwork import Straight
from tests.service.hubworld import HubWorld

YEAR = Policy("jra-1y", ANY, RETENTION, 1, "years", "1900-01-01", "JRA contoh")


class Writer(Straight):
    """Jobs too."""

    async def run(self, job: Any) -> Any:
        return job()


class Running:
    """The hub's processes one after another, each with its own memory of the clock."""

    def __init__(self, world: HubWorld) -> None:
        self.world = world
        self.readers = Readers(world.core.store, 1)
        world.core.operate(RecordRules((*DEFAULTS, YEAR)))
        world.core.rulebook.refresh()
        self.restart()

    def restart(self) -> None:
        self.world.clock.seconds = 0.0
        self.sweep: Sweep = sweeps(self.world.core, self.readers, Writer(self.world.core.runner))[1]  # type: ignore[arg-type]

    async def swept(self) -> int:
        return await self.sweep.once()

    def pass_time(self, **span: float) -> None:
        """With both clocks in step."""
        before = self.world.clock.moment
        self.world.clock.turn(**span)
        self.world.clock.seconds += (self.world.clock.moment - before).total_seconds()

    def closed(self, reference: str) -> str:
        case_id = self.world.submitted(reference)
        self.world.do(self.world.request(Close(case_id, "archived")))
        return case_id

    def erased(self, case_id: str) -> bool:
        return bool(self.world.read(lambda session: session.case(case_id)).state.erased)


@pytest.fixture
async def running(world: HubWorld) -> AsyncIterator[Running]:
    running = Running(world)
    yield running
    running.readers.close()


async def test_two_years_ahead_erase_nothing_and_say_why(running: Running) -> None:
    case = running.closed("A-1")
    running.world.clock.turn(days=730)
    running.restart()
    running.world.submitted("A-2")  # what the wrong clock writes itself proves nothing
    with structlog.testing.capture_logs() as logged:
        assert await running.swept() == 0
    (told,) = logged
    assert (told["event"], told["log_level"]) == ("retention_waits", "warning")
    assert (told["present"], told["recorded"]) == ("2027-03-14T02:00:00.000Z", "2025-03-14T02:00:00.000Z")
    assert "run for a day" in told["cause"]
    for _ in range(3):
        running.pass_time(minutes=10)
        running.restart()  # nor do many starts
        running.world.submitted(f"B-{running.world.clock.moment}")
        assert await running.swept() == 0
    running.world.clock.turn(days=-730)
    running.restart()
    assert await running.swept() == 0
    assert not running.erased(case)


async def test_a_clock_that_is_ahead_at_every_start_does_not_vouch_for_itself(running: Running) -> None:
    """An empty battery: two years ahead until the time server answers, some days in a row."""
    case = running.closed("A-1")
    for day in range(4):
        running.world.clock.turn(days=730)
        running.restart()
        running.world.submitted(f"ahead-{day}")
        assert await running.swept() == 0
        running.world.clock.turn(days=-730)
        running.world.submitted(f"right-{day}")
        assert await running.swept() == 0
        running.pass_time(days=1, hours=2)
    assert not running.erased(case)


async def test_off_for_two_years_and_on_for_a_day(running: Running) -> None:
    case = running.closed("A-1")
    running.world.clock.turn(days=730)
    running.restart()
    running.world.submitted("A-2")
    for _ in range(24):
        assert await running.swept() == 0
        running.pass_time(hours=1)
    assert await running.swept() == 1
    assert running.erased(case)


async def test_what_was_recorded_in_that_day_vouches_for_the_next_process(running: Running) -> None:
    case = running.closed("A-1")
    running.world.clock.turn(days=730)
    running.restart()
    running.world.submitted("A-2")
    running.pass_time(days=1, hours=1)
    running.restart()
    assert await running.swept() == 1
    assert running.erased(case)


async def test_a_jump_while_it_runs_is_seen_however_long_it_ran(running: Running) -> None:
    case = running.closed("A-1")
    for _ in range(30):
        running.pass_time(hours=1)
        assert await running.swept() == 0
    running.world.clock.turn(days=730)
    assert await running.swept() == 0
    running.pass_time(hours=23)
    assert await running.swept() == 0
    assert not running.erased(case)


async def test_a_hub_that_works_each_week_waits_for_nothing(running: Running) -> None:
    case = running.closed("A-1")
    for week in range(53):
        running.pass_time(days=7)
        running.world.submitted(f"B-{week}")
    running.pass_time(days=6)
    running.restart()
    assert await running.swept() == 1
    assert running.erased(case)


async def test_the_last_event_before_today_is_found_wherever_it_stands(world: HubWorld) -> None:
    first = world.last_position()
    for number in range(12):
        world.clock.turn(days=1)
        world.submitted(f"A-{number}")
    for today in range(40):
        world.submitted(f"B-{today}")
    times = world.read(lambda s: [event.fact().time for event in s.events_after(0, 10_000)])
    for now in ("2025-03-27T02:00:00.000Z", "2025-03-20T02:00:00.001Z", "2025-03-16T02:00:00.000Z"):
        day_before = datetime.fromisoformat(now).astimezone(UTC).replace(microsecond=0)
        before = world.read(lambda s, at=now: recorded_before(s, at))
        limit = (day_before.replace(day=day_before.day - 1)).isoformat().replace("+00:00", now[19:])
        assert before == max(time for time in times if time < limit)
    assert world.read(lambda s: recorded_before(s, "2025-03-14T02:00:00.000Z")) is None
    assert first > 0


def listed(world: HubWorld) -> Result:
    environment = {"SIMPUL_DATA_DIR": str(world.core.settings.data_dir)}
    return CliRunner(env=environment).invoke(simpul, ["retention"])


def test_the_command_says_why_a_hub_may_wait(world: HubWorld) -> None:
    """The command itself knows no other clock than today's: years after the log's end."""
    running = Running(world)
    case = running.closed("A-1")
    running.readers.close()
    result = CliRunner(env={"SIMPUL_DATA_DIR": str(world.core.settings.data_dir)}).invoke(
        simpul, ["retention"]
    )
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["case_id"] for line in result.stdout.splitlines()] == [case]
    assert "what was recorded last before today is of 2025-03-14T02:00:00.000Z" in result.stderr
    assert "run for a day with the clock in step" in result.stderr


def test_the_command_says_nothing_of_it_where_nothing_goes(world: HubWorld) -> None:
    running = Running(world)
    world.submitted("A-1")
    running.readers.close()
    result = CliRunner(env={"SIMPUL_DATA_DIR": str(world.core.settings.data_dir)}).invoke(
        simpul, ["retention"]
    )
    assert (result.exit_code, result.stdout) == (0, "")
    assert "clock" not in result.stderr
