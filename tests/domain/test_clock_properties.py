"""Random lives of single clocks: nothing is charged twice or lost, no pause takes time away, each event is
said once."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given

from hub.domain.clocks import (
    charged_seconds,
    miss,
    next_wake,
    pause,
    resume,
    start,
    stop,
    warn,
)
from hub.domain.policies import DEFAULTS, Policy
from hub.domain.working_time import (
    Calendar,
    DayOff,
    elapsed_seconds,
    instant,
    is_working,
    local_day,
    written,
)
from tests.domain import decrees
from tests.domain.clockwatch import paused_seconds

FOLLOW_UP = next(row for row in DEFAULTS if row.id == "follow-up-5wd")
LEG = "0195a1b2-0000-7000-8000-000000000011"

zones = st.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"])
calendars = st.builds(
    lambda off, zone: Calendar(
        {
            (instant("2024-12-01T00:00:00Z") + timedelta(n)).date().isoformat(): DayOff("x", "local")
            for n in off
        },
        "2026-12-31",
        zone,
    ),
    st.sets(st.integers(0, 200), max_size=60),
    zones,
)
instants = st.integers(0, 150 * 86_400_000).map(
    lambda ms: datetime(2024, 12, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
policies = st.builds(
    lambda unit, amount: replace(FOLLOW_UP, unit=unit, amount=amount),
    st.sampled_from(["working_days", "working_days", "calendar_days", "hours"]),
    st.integers(1, 20),
)
waits = st.integers(0, 12 * 86_400_000).map(lambda ms: timedelta(milliseconds=ms))
lives = st.lists(st.tuples(st.sampled_from(["pause", "resume", "warn", "miss"]), waits), max_size=12)


@given(calendars, instants, policies, lives, waits)
def test_charged_and_paused_make_the_whole(
    calendar: Calendar, moment: datetime, policy: Policy, life: list[tuple[str, timedelta]], last: timedelta
) -> None:
    clock = start("k", LEG, "kemen-pupr", policy, calendar, moment)
    begin = instant(clock.started_at)
    for act, wait in life:
        moment += wait
        before = clock
        if act == "pause":
            clock = pause(clock, moment)
        elif act == "resume":
            clock = resume(clock, calendar, moment)
        else:
            clock = (warn if act == "warn" else miss)(clock, moment) or clock
        assert clock.due_at >= before.due_at, "no pause ever moves a deadline earlier"
        charged = charged_seconds(clock, calendar, moment)
        paused = paused_seconds(clock, calendar, written(moment))
        assert charged + paused == elapsed_seconds(calendar, policy.unit, begin, instant(written(moment)))
        assert clock.started_at < clock.warns_at <= clock.due_at
    end = moment + last
    clock = stop(clock, calendar, end)
    assert clock.ended_at == written(end)
    charged = charged_seconds(clock, calendar, end + last)
    paused = paused_seconds(clock, calendar, written(end + last))
    assert charged + paused == elapsed_seconds(calendar, policy.unit, begin, instant(clock.ended_at))
    assert paused == clock.paused_s
    assert not clock.is_paused
    assert clock.state in ("met", "missed")


@given(calendars, instants, policies, waits, waits)
def test_a_pause_leaves_the_time_that_was_left(
    calendar: Calendar, moment: datetime, policy: Policy, before: timedelta, during: timedelta
) -> None:
    clock = start("k", LEG, "kemen-pupr", policy, calendar, moment)
    asked = moment + before
    paused = pause(clock, asked)
    if paused.state == "missed":
        return
    replied = asked + during
    resumed = resume(paused, calendar, replied)
    left = elapsed_seconds(calendar, policy.unit, instant(written(asked)), instant(clock.due_at))
    assert (
        elapsed_seconds(calendar, policy.unit, instant(written(replied)), instant(resumed.due_at)) >= left - 1
    )
    assert resumed.due_at >= written(replied)
    assert miss(resumed, replied) is None
    if policy.unit != "hours":
        due = instant(resumed.due_at).astimezone(calendar.tz)
        assert is_working(calendar, local_day(calendar, due))
        assert f"{due:%H:%M:%S.%f}" == "16:00:00.000000"


@given(calendars, instants, policies, waits)
def test_every_deadline_is_approached_before_it_is_missed(
    calendar: Calendar, moment: datetime, policy: Policy, wait: timedelta
) -> None:
    """However the ticks fall, a clock that nobody stops says each once, approaching first."""
    clock, said = start("k", LEG, "kemen-pupr", policy, calendar, moment), []
    while next_wake(clock) is not None:
        moment = max(moment + wait, instant(next_wake(clock) or "")) + timedelta(milliseconds=1)
        warned = warn(clock, moment)
        said += ["approaching"] if warned else []
        clock = warned or clock
        missed = miss(clock, moment)
        said += ["missed"] if missed else []
        clock = missed or clock
    assert said == ["approaching", "missed"]


# --- what it costs --------------------------------------------------------------------------------------


def test_starting_a_clock_is_cheap() -> None:
    """Processor time; about 22 us were measured, the bound is loose because the machine may be shared."""
    calendar = decrees.calendar()
    moments = [instant("2025-03-10T03:00:00Z") + timedelta(minutes=n) for n in range(1000)]
    best = 1.0
    for _ in range(5):
        begun_at = time.process_time()
        for moment in moments:
            start("k", LEG, "kemen-pupr", FOLLOW_UP, calendar, moment)
        best = min(best, (time.process_time() - begun_at) / len(moments))
    assert best < 100e-6
