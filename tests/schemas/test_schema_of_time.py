"""Deadlines, calendars and policies: what the domain makes of them is what the schemas describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from hub.domain import clocks
from hub.domain.clocks import Clock
from hub.domain.policies import (
    CLASSIFICATIONS,
    DEFAULTS,
    MOST,
    MOST_KEPT,
    RETENTION,
    STAGES,
    Policy,
    check_policies,
)
from hub.domain.working_time import CATEGORIES, Calendar, for_agency, is_iso_date
from hub.service.calendars import changes, official_calendar
from schemas.registry import Registry
from tests.schemas.conftest import examples, read
from tests.schemas.reference import reference_pointers

START = datetime.fromisoformat("2025-03-14T10:02:11+07:00")
OFFICIAL = official_calendar()
Step = Callable[[Clock], Clock | None]

HISTORIES: dict[str, list[Step]] = {
    "running": [lambda clock: clocks.warn(clock, START + timedelta(days=90))],
    "paused": [lambda clock: clocks.pause(clock, START + timedelta(hours=2))],
    "met": [
        lambda clock: clocks.pause(clock, START + timedelta(hours=2)),
        lambda clock: clocks.resume(clock, OFFICIAL, START + timedelta(hours=30)),
        lambda clock: clocks.stop(clock, OFFICIAL, START + timedelta(hours=31)),
    ],
    "missed": [lambda clock: clocks.miss(clock, START + timedelta(days=90))],
}


def fits(registry: Registry, name: str, document: Any) -> None:
    """As it is after its way through the log, for both validators."""
    stored = orjson.loads(orjson.dumps(document))
    assert registry.validate(name, stored) == []
    assert reference_pointers(name, stored) == []


@pytest.mark.parametrize("policy", DEFAULTS, ids=[policy.id for policy in DEFAULTS])
@pytest.mark.parametrize("state", [*HISTORIES, "historical"])
def test_a_clock_of_every_stage_and_state_is_shown_as_a_deadline(
    registry: Registry, policy: Policy, state: str
) -> None:
    clock: Clock | None = clocks.start(
        "c", "s", "kemenpu", policy, OFFICIAL, START, historical=state == "historical"
    )
    for step in HISTORIES.get(state, []):
        clock = clock and step(clock)
    if clock is None:
        assert policy.shown_only and state in ("running", "missed")  # of these nothing is told
        return
    shown = clocks.deadline_document(clock, START)
    assert shown["state"] == state
    fits(registry, "deadline", shown)
    fits(registry, "case", registry.example("case") | {"deadlines": [shown]})
    told = registry.example("deadline.missed") | {"deadline": shown}
    fits(registry, "deadline.missed", told)
    fits(registry, "deadline.approaching", told)


@pytest.mark.parametrize(
    ("zone", "local"),
    [("Asia/Jakarta", {}), ("Asia/Jayapura", {"2025-02-05": "Hari Injil Masuk di Tanah Papua"})],
)
def test_every_calendar_fits_calendar_changed(registry: Registry, zone: str, local: dict[str, str]) -> None:
    calendar = for_agency(OFFICIAL, zone, local)
    days = [change.document() for change in changes(official_calendar(last_year=2024), calendar)]
    assert len(days) > 50
    told = {
        "calendar": calendar.document(),
        "zones": [zone],
        "agency": "prov-papua" if local else None,
        "changes": days,
        "source": "holidays 0.109",
    }
    fits(registry, "calendar.changed", told)
    fits(
        registry,
        "calendar.changed",
        told | {"changes": [change.document() for change in changes(calendar, OFFICIAL)]},
    )


def test_the_examples_of_calendars_are_calendars(registry: Registry) -> None:
    """Their versions are those that the hub gives to these days, so that an example can be recomputed."""
    found = [read(file) for name, file in examples("valid") if name == "calendar.changed"]
    calendars = [document["calendar"] for document in found if "withheld" not in document]
    assert len(calendars) == 3
    for calendar in calendars:
        assert Calendar.from_document(calendar).document() == calendar


def test_every_policy_fits_policy_changed(registry: Registry) -> None:
    rows = [policy.document() for policy in DEFAULTS]
    added = [{"id": row["id"], "before": None, "after": row} for row in rows]
    removed = [{"id": row["id"], "before": row, "after": None} for row in rows]
    fits(registry, "policy.changed", {"policies": rows, "changes": added + removed})
    check_policies([Policy(**row) for row in rows])


def test_the_codes_of_time_are_those_of_the_domain(registry: Registry) -> None:
    parts = registry.schema("definitions")["$defs"]
    row, day = parts["policy_view"]["properties"], parts["day_off"]["properties"]
    assert parts["stage"]["enum"] == list(STAGES)
    assert row["classification"]["enum"] == [*CLASSIFICATIONS, "*"]
    assert row["unit"]["enum"] == [*MOST, *MOST_KEPT]
    assert row["stage"]["enum"] == [*STAGES, RETENTION]
    assert row["amount"]["maximum"] == max(MOST.values())
    assert set(row) == set(DEFAULTS[0].document())
    assert day["category"]["enum"] == list(CATEGORIES)
    assert set(parts["calendar_view"]["properties"]) == set(OFFICIAL.document())


def test_a_day_off_stands_under_a_date_that_exists_and_under_nothing_else(registry: Registry) -> None:
    """Every day of the years 1900 to 2199, and every one that a slip of the hand makes of them."""
    (pattern,) = registry.schema("definitions")["$defs"]["days_off"]["patternProperties"]
    (same,) = registry.schema("definitions")["$defs"]["calendar_view"]["properties"]["days"][
        "patternProperties"
    ]
    assert pattern == same
    matches = re.compile(pattern).search
    for year in range(1900, 2200):
        for month in range(14):
            for day in range(33):
                text = f"{year}-{month:02}-{day:02}"
                assert bool(matches(text)) == is_iso_date(text), text
    for text in ("1899-12-31", "2200-01-01", "2025-3-31", "20250331", "2025-03-31T00:00:00Z", " 2025-03-31"):
        assert not matches(text), text
