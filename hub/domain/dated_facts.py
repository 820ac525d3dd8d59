"""Calendars and policies as the log dates them: what the hub's own stream says of them, each in the latest
event that names it. A running clock keeps what it started with, so nothing of them is ever forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.domain.events import Fact
from hub.domain.working_time import Calendar, for_agency

CALENDAR: Final = "calendar"
POLICIES: Final = "policies"
POLICIES_NAME: Final = "hub"


@dataclass(frozen=True, slots=True)
class DatedFact:
    """One calendar, or all policies. `sequence` is that of the event in its stream: of two facts the later
    one holds for what starts from then on."""

    kind: str
    """CALENDAR or POLICIES."""
    name: str
    """A calendar's version, with `/<agency>` after it where it is an agency's own (two agencies may have the
    same days off); POLICIES_NAME."""
    sequence: int
    document: bytes
    """JSON: `Calendar.document()` with the member `agency` (None: the official one), or a list of
    `Policy.document()`."""


def dated_facts(fact: Fact) -> list[DatedFact]:
    """What an event of the hub's stream makes: a calendar for each zone that it names (its own, if it names
    none), or the policies. Others make nothing."""
    if fact.type == "policy.changed":
        document = orjson.dumps(fact.data["policies"])
        return [DatedFact(POLICIES, POLICIES_NAME, fact.sequence, document)]
    return _calendars(fact.data, fact.sequence) if fact.type == "calendar.changed" else []


def _calendars(data: dict[str, Any], sequence: int) -> list[DatedFact]:
    official, agency = Calendar.from_document(data["calendar"]), data.get("agency")
    zones = data.get("zones") or [official.zone]
    made = [for_agency(official, zone) for zone in zones]
    return [
        DatedFact(
            CALENDAR,
            calendar.version if agency is None else f"{calendar.version}/{agency}",
            sequence,
            orjson.dumps(calendar.document() | {"agency": agency}),
        )
        for calendar in made
    ]
