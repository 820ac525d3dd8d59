"""A handover from the outside: what is concerned is found on a read connection, so that the transaction can
lock it; the answer is read from the event that sums it up, so that a repeated request gets the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.domain.events import agency_stream
from hub.domain.handover import HandOver, Successor, check_successor, work_of
from hub.domain.privacy import mask
from hub.domain.rendering import handover_data
from hub.domain.threads.succession import is_concerned, officer_drafts
from hub.domain.threads.thread import Thread
from hub.errors import Invalid
from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession
from hub.service.handing_over import NO_EVENT, Passed
from hub.service.identities import identities, values_naming
from hub.service.readers import Readers
from hub.service.rendered import Rendering, opened
from hub.service.requests import Outcome

MOST: Final = 1000
"""Streams (cases, threads, and the threads' cases) that one transaction hands over: 1,000 hold the writer for
0.3 to 0.8 s, and PostgreSQL has room for some thousands of locks. Whoever holds more repeats the request."""
PAGE: Final = 200

Body = Mapping[str, Any]
T = TypeVar("T", Case, Thread)


@dataclass(frozen=True, slots=True)
class HandoverScope:
    """What a handover concerns, as far as one transaction may take it."""

    cases: tuple[str, ...]
    threads: tuple[str, ...]


@dataclass(slots=True)
class HandoverDesk:
    readers: Readers
    rendering: Rendering
    sealing: Sealing
    agencies: Mapping[str, Agency]

    async def command(self, agency: str, body: Body) -> tuple[HandOver, list[str]]:
        """The command, and the kinds of what was masked in its note. Invalid names what cannot be."""
        to, note = body.get("to", agency), body.get("text")
        names = _officers_named(agency, to, body)

        def look(session: ReadSession) -> tuple[HandOver, list[str]]:
            officers = _officers(session, agency, names) if names else ()
            if not officers:
                check_successor(agency, self.agencies.get(to), to)
            found = find(session, agency, officers, MOST)
            masked = mask(note, self._reporters(session, found.cases)) if note else None
            text, departed = masked.text if masked else None, bool(body.get("departed"))
            command = HandOver(agency, to, found.cases, found.threads, text, officers, departed)
            return command, masked.kinds if masked else []

        return await self.readers.run(look)

    async def answer(self, principal: Principal, command: HandOver, outcome: Outcome) -> dict[str, Any]:
        """The summary for the successor; `complete` is false while the request finds more to hand over."""
        agency, to, sequence = outcome.ids

        def look(session: ReadSession) -> dict[str, Any]:
            rest = find(session, agency, command.officers, 1)
            complete = {"complete": not (rest.cases or rest.threads)}
            if sequence == NO_EVENT:
                nothing = {"agency": principal.agency, "from": agency, "to": to}
                return nothing | {"summary": Passed().summary()} | complete
            stream = agency_stream(agency)
            (event,) = session.stream(stream, int(sequence) - 1, 1)
            fact, key = event.fact(), session.keys([stream]).get(stream)
            return handover_data(fact, opened(event, fact, key, self.rendering.opener())) | complete

        return await self.readers.run(look)

    def _reporters(self, session: ReadSession, cases: Sequence[str]) -> list[str]:
        """What in the note would name a reporter of these cases. The note is the agency's, and outlives their
        erasure."""
        named = identities(session, self.sealing, cases)
        states = [case.state for case in session.cases_named(list(named)).values()]
        return [value for state in states for value in values_naming(named[state.id], state)]


def find(session: ReadSession, agency: str, officers: Sequence[Successor], most: int) -> HandoverScope:
    """The agency's work, at most `most` streams of it: cases first, then threads with their cases. Between
    officers only what names the one who leaves."""
    cases: dict[str, None] = {}
    threads: list[str] = []
    if not officers:
        for case in _pages(lambda after: session.held_cases(agency, after, PAGE)):
            if len(cases) >= most:
                return HandoverScope(tuple(cases), ())
            if work_of(case.state, agency):
                cases[case.state.id] = None
    for thread in _pages(lambda after: session.joined_threads(agency, after, PAGE)):
        if not is_concerned(thread, agency):
            continue
        if officers and not officer_drafts(thread, agency, *officers):
            continue
        about = dict.fromkeys(thread.state.cases)
        if (cases or threads) and len(cases | about) + len(threads) + 1 > most:
            break
        cases |= about
        threads.append(thread.state.id)
    return HandoverScope(tuple(cases), tuple(threads))


def _pages(read: Callable[[str], list[T]]) -> Iterator[T]:
    after = ""
    while page := read(after):
        yield from page
        after = page[-1].state.id


def _officers_named(agency: str, to: str, body: Body) -> tuple[str, str] | None:
    """The ids of who leaves the work and who takes it on; None for an office's handover."""
    leaving, taking = body.get("from_officer"), body.get("to_officer")
    if leaving is None and taking is None and not body.get("departed"):
        return None
    flaws = []
    for member, given in (("/from_officer", leaving), ("/to_officer", taking)):
        if given is None:
            flaws.append((member, "Name both officers by the ids of their accounts, or none."))
    if to != agency:
        detail = f"Officers hand over within one agency: leave it out, or name {agency}."
        flaws.append(("/to", detail))
    if leaving is not None and leaving == taking:
        flaws.append(("/to_officer", "Name another officer than the one who leaves the work."))
    if flaws or leaving is None or taking is None:
        raise Invalid("The work of an officer cannot be handed over so.", flaws=flaws)
    return leaving, taking


def _officers(session: ReadSession, agency: str, names: tuple[str, str]) -> tuple[Successor, ...]:
    """Their accounts, in that order; only the second must be active."""
    known = session.named_officers(names)
    flaws = []
    for member, name, active in (("/from_officer", names[0], False), ("/to_officer", names[1], True)):
        found = known.get(name)
        if found is None or found.agency != agency or (active and not found.is_active):
            kind = "active account" if active else "account"
            flaws.append((member, f"There is no {kind} {name!r} in {agency}."))
    if flaws:
        raise Invalid("This officer is not there.", flaws=flaws)
    return tuple(Successor(name, known[name].name) for name in names)
