"""The calendars and policies in force, as the log dates them, and the registry that they belong to: what a
decision asks for beside its case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import orjson

from hub.domain.agency import Agency
from hub.domain.dated_facts import CALENDAR, DatedFact
from hub.domain.events import Draft
from hub.domain.policies import Policy, check_policies, companion_for, policy_for, refuse_changed
from hub.domain.working_time import Calendar, for_agency
from hub.ports.registry import RegistryStore
from hub.service.calendars import changes
from hub.service.requests import ZONES, RecordRules


@dataclass(frozen=True, slots=True)
class _Official:
    """The official calendar of a zone that was recorded last."""

    sequence: int
    calendar: Calendar


@lru_cache(64)
def _calendar(document: bytes) -> Calendar:
    """A recorded one never changes, and every start of the hub reads three."""
    return Calendar.from_document(orjson.loads(document))


class Rulebook:
    """Implements `hub.domain.timekeeping.Rules`. Read anew whenever the registry's generation has grown, in
    whichever process; used by one thread."""

    def __init__(self, store: RegistryStore, current_generation: Callable[[], int]) -> None:
        self._store = store
        self._current_generation = current_generation
        self._generation = -1
        self._documents: dict[str, bytes] = {}
        self._calendars: dict[str, Calendar] = {}
        self._official: dict[str, _Official] = {}
        self._own: dict[str, str] = {}
        """Agency -> the version of the calendar of its own that was recorded last."""
        self._of: dict[str, tuple[Agency, Calendar]] = {}
        self._in_force: dict[tuple[str, str, date], list[Policy]] = {}
        """A few a day; emptied when the rules change."""
        self.rows: tuple[Policy, ...] = ()
        self.agencies: dict[str, Agency] = {}

    def refresh(self) -> None:
        """A few microseconds when nothing changed."""
        if self._current_generation() != self._generation:
            self.read_again()

    def read_again(self) -> None:
        """Whatever the generation says: another process tells it only after its commit, and so after it let
        go of the hub's stream."""
        registry = self._store.changes_since(self._generation)
        self.agencies |= {agency.id: agency for agency in registry.agencies}
        self.learn(self._store.dated_facts())
        self._generation = registry.generation

    def learn(self, facts: Sequence[DatedFact]) -> None:
        """Facts in the order of the log; of several that say the same thing the last one holds."""
        for fact in facts:
            if fact.kind == CALENDAR:
                self._learn_calendar(fact)
            else:
                self.rows = tuple(Policy(**row) for row in orjson.loads(fact.document))
        self._of.clear()
        self._in_force.clear()

    def _learn_calendar(self, fact: DatedFact) -> None:
        version, _, agency = fact.name.partition("/")
        self._documents[version] = fact.document
        if agency:
            self._own[agency] = version
            return
        calendar = self.calendar(version)
        known = self._official.get(calendar.zone)
        if known is None or fact.sequence >= known.sequence:
            self._official[calendar.zone] = _Official(fact.sequence, calendar)

    @property
    def is_empty(self) -> bool:
        """Nothing was recorded yet: no clock can start."""
        return not self._official or not self.rows

    def official(self) -> Calendar | None:
        """The official calendar in WIB that was recorded last; None when none was yet."""
        known = self._official.get(ZONES[0])
        return known.calendar if known else None

    def calendar(self, version: str) -> Calendar:
        if version not in self._calendars:
            self._calendars[version] = _calendar(self._documents[version])
        return self._calendars[version]

    def knows(self, calendar: Calendar) -> bool:
        return calendar.version in self._documents

    def calendar_of(self, agency: str) -> Calendar:
        known = self.agencies.get(agency)
        return self.running_for(known) if known else self._official[ZONES[0]].calendar

    def running_for(self, agency: Agency) -> Calendar:
        """The calendar by which a clock of the agency counts if it starts now: always one that the log has,
        since nothing else could stop the clock again."""
        held = self._of.get(agency.id)
        if held is None or (held[0] is not agency and held[0] != agency):
            held = agency, self._recorded(agency)
        self._of[agency.id] = agency, held[1]  # loaded anew in each batch: asked again, it is the same
        return held[1]

    def _recorded(self, agency: Agency) -> Calendar:
        wanted = self.calendar_for(agency)
        if self.knows(wanted):
            return wanted
        if agency.id in self._own:
            return self.calendar(self._own[agency.id])
        return self._official.get(agency.time_zone, self._official[ZONES[0]]).calendar

    def calendar_for(self, agency: Agency) -> Calendar:
        """The calendar that an agency like this has; of the known ones where it is one of them."""
        official = self._official.get(agency.time_zone)
        if official is not None and not agency.days_off:
            return official.calendar
        base = self._official[ZONES[0]].calendar
        made = for_agency(base, agency.time_zone, agency.days_off)
        return self._calendars.setdefault(made.version, made) if self.knows(made) else made

    def unknown_calendar(self, agency: Agency) -> Calendar | None:
        """The calendar of an agency like this, if the log does not have it: it must be recorded before the
        first clock counts by it."""
        if self.is_empty:
            return None
        calendar = self.calendar_for(agency)
        return None if self.knows(calendar) else calendar

    def policies(self, classification: str, stage: str, at: date) -> list[Policy]:
        asked = classification, stage, at
        if asked not in self._in_force:
            found = (pick(self.rows, *asked) for pick in (policy_for, companion_for))
            self._in_force[asked] = [policy for policy in found if policy is not None]
        return self._in_force[asked]


@dataclass(frozen=True, slots=True)
class InForce:
    """The rulebook for one command: agencies are taken as its transaction found or made them. Implements
    `hub.domain.timekeeping.Rules`."""

    rulebook: Rulebook
    agencies: Mapping[str, Agency]

    def calendar_of(self, agency: str) -> Calendar:
        known = self.agencies.get(agency)
        return self.rulebook.running_for(known) if known else self.rulebook.calendar_of(agency)

    def calendar(self, version: str) -> Calendar:
        return self.rulebook.calendar(version)

    def policies(self, classification: str, stage: str, at: date) -> list[Policy]:
        return self.rulebook.policies(classification, stage, at)


def record(rulebook: Rulebook, command: RecordRules) -> list[Draft]:
    """`calendar.changed` and `policy.changed` for what the log does not say yet. Raises Invalid (422) for
    policies that cannot be."""
    drafts: list[Draft] = []
    if command.policies is not None and command.policies != rulebook.rows:
        check_policies(command.policies)
        refuse_changed(command.policies, rulebook.rows)
        drafts.append(_policies(rulebook.rows, command.policies))
    if command.official is not None:
        before = rulebook.official()
        if before != command.official:
            drafts.append(calendar_draft(command.official, before, None, ZONES, command.source))
            drafts += _of_agencies(rulebook, command.official)
    return drafts


def _of_agencies(rulebook: Rulebook, official: Calendar) -> list[Draft]:
    """Agencies with days off of their own, or in another zone, get theirs anew."""
    drafts = []
    for agency in sorted(rulebook.agencies.values(), key=lambda each: each.id):
        if agency.days_off or agency.time_zone not in ZONES:
            drafts.append(own_calendar(agency, for_agency(official, agency.time_zone, agency.days_off)))
    return drafts


def own_calendar(agency: Agency, calendar: Calendar) -> Draft:
    return calendar_draft(calendar, None, agency.id, (agency.time_zone,), f"agency {agency.id}")


def calendar_draft(
    calendar: Calendar, before: Calendar | None, agency: str | None, zones: Sequence[str], source: str
) -> Draft:
    different = [change.document() for change in changes(before, calendar)] if before else []
    facts = {
        "calendar": calendar.document(),
        "zones": list(zones),
        "agency": agency,
        "changes": different,
        "source": source,
    }
    return Draft("calendar.changed", facts)


def _policies(before: Sequence[Policy], after: Sequence[Policy]) -> Draft:
    olds, news = ({row.id: row.document() for row in rows} for rows in (before, after))
    names = sorted(olds.keys() | news.keys())
    pairs: list[dict[str, Any]] = [
        {"id": name, "before": olds.get(name), "after": news.get(name)} for name in names
    ]
    different = [pair for pair in pairs if pair["before"] != pair["after"]]
    return Draft("policy.changed", {"policies": [row.document() for row in after], "changes": different})
