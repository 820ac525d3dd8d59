"""A case's history: its own events, and between them its handovers, whose events stand in the streams of the
agencies that handed over.

Both are numbered together, each handover right after the event on which it took effect. Both only ever grow
at the end, so the numbers stay, and a page goes on after the last one given."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

import structlog

from auth.policy import sees_officers
from auth.principal import Principal
from hub.domain.audience import Sight
from hub.domain.case import Case, CaseState, Handover
from hub.domain.events import Fact, Recorded, agency_stream
from hub.domain.handover import concerns_case, seen_handovers
from hub.ports.store import ReadSession
from hub.service.rights import relations_of

PAGE: Final = 500
Place = tuple[int, tuple[Recorded, Fact] | Handover]
"""A number in the history, and what stands there."""
log = structlog.get_logger(__name__)


class Entry(NamedTuple):
    """One event of the history. `number` is its place in it, from 1."""

    number: int
    event: Recorded
    fact: Fact


def history_page(session: ReadSession, state: CaseState, seen: Sight, after: int, count: int) -> list[Entry]:
    """The next `count` events that the reader sees after number `after`, fewer at the end."""
    versions = [handed.version for handed in state.handovers]
    numbers = [version + place for place, version in enumerate(versions, 1)]
    first = bisect_right(numbers, after)
    own: list[Place] = [
        (event.sequence + bisect_left(versions, event.sequence), (event, fact))
        for event, fact in _events(session, state.id, seen, after - first, count)
    ]
    places = [place for place in seen_handovers(state, seen) if place >= first]
    passed: list[Place] = [(numbers[place], state.handovers[place]) for place in places]
    merged = sorted([*own, *passed], key=lambda each: each[0])
    return list(islice(_entries(session, state.id, merged), count))


def _entries(session: ReadSession, case_id: str, merged: Sequence[Place]) -> Iterator[Entry]:
    for number, each in merged:
        if not isinstance(each, Handover):
            yield Entry(number, *each)
        elif (found := handover_event(session, case_id, each)) is not None:
            yield Entry(number, *found)


def handover_entries(session: ReadSession, state: CaseState, seen: Sight) -> list[Entry]:
    """The handovers alone."""
    passed: list[Place] = [
        (state.handovers[place].version + place + 1, state.handovers[place])
        for place in seen_handovers(state, seen)
    ]
    return list(_entries(session, state.id, passed))


def handover_event(session: ReadSession, case_id: str, handed: Handover) -> tuple[Recorded, Fact] | None:
    """The event by which this work passed on. The stream of an agency that hands over has an event a case, so
    it is looked for at its time; from the beginning only where the clock went back meanwhile. None, which the
    log tells, where somebody took it out of the log."""
    stream = agency_stream(handed.sender)
    for start in (_first_at(session, stream, handed.at), 0):
        for event, fact in _walk(session, stream, start):
            if concerns_case(fact) and _is_of(fact, case_id, handed):
                return event, fact
            if start and fact.time > handed.at:
                break
    log.error("handover_without_event", case_id=case_id, stream=stream, version=handed.version)
    return None


def _is_of(fact: Fact, case_id: str, handed: Handover) -> bool:
    data = fact.data
    found = (data["case_id"], data["version"], data["to"], fact.time)
    return found == (case_id, handed.version, handed.to, handed.at)


def _first_at(session: ReadSession, stream: str, at: str) -> int:
    """How many of the stream's events come before the moment `at`, where its times rise."""
    low, high = 0, 1
    while (found := session.stream(stream, high - 1, 1)) and found[0].fact().time < at:
        low, high = high, high * 2
    while low + 1 < high:
        middle = (low + high) // 2
        found = session.stream(stream, middle - 1, 1)
        low, high = (middle, high) if found and found[0].fact().time < at else (low, middle)
    return low


def _walk(session: ReadSession, stream: str, after: int) -> Iterator[tuple[Recorded, Fact]]:
    while events := session.stream(stream, after, PAGE):
        for event in events:
            yield event, event.fact()
        after = events[-1].sequence


def officers_named(
    session: ReadSession, principal: Principal, case: Case, entries: Sequence[Entry]
) -> dict[str, dict[str, str]]:
    """Event id -> {id, name?} of the officer who acted, as the account is called today, where the reader may
    know it. Beside the events and not in them: an event is the same on every road."""
    everyone = sees_officers(principal.role, relations_of(principal, case))
    acted = {
        entry.event.id: officer
        for entry in entries
        if (officer := entry.fact.officer_id) and (everyone or entry.fact.actor == principal.agency)
    }
    known = session.named_officers(sorted(set(acted.values()))) if acted else {}
    return {
        event_id: {"id": officer} | ({"name": known[officer].name} if officer in known else {})
        for event_id, officer in acted.items()
    }


def _events(
    session: ReadSession, case_id: str, seen: Sight, after: int, count: int
) -> list[tuple[Recorded, Fact]]:
    """The next `count` events of the case's own stream that the reader sees, fewer at the end of what it may
    see."""
    found: list[tuple[Recorded, Fact]] = []
    while len(found) < count and after < seen.until:
        events = session.stream(case_id, after, count)
        facts = [(event, event.fact()) for event in events]
        found += [(event, fact) for event, fact in facts if seen.shows(fact)]
        after = events[-1].sequence if events else seen.until
    return found[:count]
