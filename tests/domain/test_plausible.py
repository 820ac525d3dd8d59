"""When the wall clock is believed before something goes for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.plausible import IN_STEP, QUIET, SETTLED, InStep, goes_on, settled_by
from hub.domain.working_time import instant, written

NOW = "2025-03-14T02:00:00.000Z"
START = datetime(2025, 3, 14, 2, 0, tzinfo=UTC)
TICK = timedelta(milliseconds=1)


def test_a_day_is_looked_back() -> None:
    assert settled_by(NOW) == "2025-03-13T02:00:00.000Z"


@pytest.mark.parametrize(
    ("ago", "believed"),
    [(SETTLED + TICK, True), (QUIET, True), (QUIET + TICK, False), (timedelta(days=730), False)],
)
def test_the_log_goes_on_if_its_last_day_before_today_is_near(ago: timedelta, believed: bool) -> None:
    assert goes_on(written(instant(NOW) - ago), NOW) is believed


def test_a_log_that_began_today_proves_nothing() -> None:
    assert not goes_on(None, NOW)


def test_both_clocks_at_one_pace_are_believed_after_a_day() -> None:
    run = InStep()
    assert not run.is_settled
    for minutes in range(0, 24 * 60, 10):
        run.seen(START + timedelta(minutes=minutes), 500.0 + minutes * 60)
        assert not run.is_settled
    run.seen(START + SETTLED, 500.0 + SETTLED.total_seconds())
    assert run.is_settled


@pytest.mark.parametrize("jump", [timedelta(days=730), IN_STEP + TICK, -IN_STEP - TICK, timedelta(days=-3)])
def test_a_jump_begins_the_day_anew(jump: timedelta) -> None:
    run, day = InStep(), SETTLED.total_seconds()
    for when, seconds in ((START, 0.0), (START + SETTLED, day)):
        run.seen(when, seconds)
    assert run.is_settled
    run.seen(START + SETTLED + jump, day)
    assert not run.is_settled
    run.seen(START + 2 * SETTLED + jump - TICK, 2 * day - 0.001)
    assert not run.is_settled
    run.seen(START + 2 * SETTLED + jump, 2 * day)
    assert run.is_settled


def test_putting_it_right_in_small_steps_is_no_jump() -> None:
    run = InStep()
    run.seen(START, 0.0)
    run.seen(START + SETTLED - IN_STEP, SETTLED.total_seconds())
    assert run.is_settled
