"""The tables made anew from the log, mailboxes included; and the proof that they would come out the same.

The same fold and the same row-making as in a live transaction are used, so what a rebuild proves is that
nothing was ever written beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.domain.agency import evolve_agency
from hub.domain.case import Case
from hub.domain.dated_facts import dated_facts
from hub.domain.events import (
    ERASURE,
    HANDED_OVER,
    NO_CHAIN,
    Fact,
    Recorded,
    chain,
    is_agency_stream,
    is_thread_stream,
)
from hub.domain.evolution import evolve
from hub.domain.handover import concerns_case, handed_cases, handed_over
from hub.errors import SimpulError
from hub.ports.effects import Effects, MailboxEntry, Reference
from hub.ports.sealing import Sealing, WrappedKey
from hub.ports.store import WriteTransaction
from hub.service.opening import Opener
from hub.service.thread_folding import ThreadFold

CHUNK: Final = 500

ReadLog = Callable[[int, int], Sequence[Recorded]]
ReadKeys = Callable[[Sequence[str]], dict[str, WrappedKey]]


class LogBroken(SimpulError):
    """The log itself is not whole: a gap, a broken chain, an event that cannot be opened. Names the first."""


@dataclass(slots=True)
class Rebuilder:
    """Folds the log into `target`, chunk by chunk, in bounded memory."""

    read_log: ReadLog
    read_keys: ReadKeys
    sealing: Sealing
    position: int = 0
    heads: dict[str, int] = field(default_factory=dict)
    seen: Erasures = field(default_factory=lambda: Erasures())
    """Of the events until here."""
    known: Erasures | None = None
    """Of the whole log, where that was asked for."""

    def run(self, target: WriteTransaction) -> int:
        """Writes every projection; the number of events. The caller emptied the tables and commits."""
        opener = Opener(self.sealing)
        while events := self.read_log(self.position, CHUNK):
            target.write(self._chunk(events, target, opener))
        for stream in self.read_keys(self.seen.streams()):
            raise LogBroken(f"{stream} can be opened, though the log says that it was erased.")
        return self.position

    def _chunk(self, events: Sequence[Recorded], target: WriteTransaction, opener: Opener) -> Effects:
        streams = sorted({event.stream for event in events})
        keys = self.read_keys(streams)
        rooms = ThreadFold(target, events)
        known = target.load_cases(sorted({*streams, *rooms.cases, *handed_cases(events)}))
        cases, effects = dict(known), Effects()
        for event in events:
            fact = self._checked(event)
            self.seen.note(fact)
            if is_agency_stream(event.stream):
                _register(fact, effects)
                if event.sealed is not None:  # the note of a handover
                    self._words(event, keys, opener)
                if concerns_case(fact):
                    cases[fact.data["case_id"]] = _passed_on(cases[fact.data["case_id"]], fact)
            elif is_thread_stream(event.stream):
                rooms.fold(fact, self._words(event, keys, opener), cases, self._erased_cases)
            else:
                cases[event.stream] = self._fold(cases.get(event.stream), event, fact, keys, opener)
                _refer(fact, effects)
            self._mail(event, fact, effects)
        effects.new_cases = [case for name, case in cases.items() if name not in known]
        effects.changed_cases = [cases[name] for name in known]
        rooms.write(effects)
        return effects

    def _checked(self, event: Recorded) -> Fact:
        if event.position != self.position + 1:
            raise LogBroken(f"The log has a gap: position {self.position} is followed by {event.position}.")
        self.position = event.position
        fact = event.fact()
        if (fact.id, fact.stream, fact.sequence) != (event.id, event.stream, event.sequence):
            raise LogBroken(f"Event {event.id} at position {event.position} is not the one in its header.")
        return fact

    def _fold(
        self,
        case: Case | None,
        event: Recorded,
        fact: Fact,
        keys: dict[str, WrappedKey],
        opener: Opener,
    ) -> Case:
        return evolve(case, fact, self._words(event, keys, opener))

    def _words(self, event: Recorded, keys: dict[str, WrappedKey], opener: Opener) -> dict[str, Any] | None:
        """The event's masked words; None where they were erased, LogBroken where they are gone without."""
        texts = opener.texts(event, keys.get(event.stream))
        if texts is None and not self._erased(event.stream):
            raise LogBroken(
                f"Event {event.id} at position {event.position} cannot be opened, though {event.stream} was "
                "never erased: its key is gone."
            )
        return texts

    def _erased(self, stream: str) -> bool:
        """Whether the log records an erasure of the stream; looked for only when a key is missing."""
        return stream in self._whole().streams()

    def _erased_cases(self) -> set[str]:
        return self._whole().cases

    def _whole(self) -> Erasures:
        if self.known is None:
            self.known = Erasures.of(self.read_log)
        return self.known

    def _mail(self, event: Recorded, fact: Fact, effects: Effects) -> None:
        for agency in fact.recipients:
            self.heads[agency] = self.heads.get(agency, 0) + 1
            effects.mailbox.append(MailboxEntry(agency, self.heads[agency], event.position))


@dataclass(slots=True)
class Erasures:
    """What the log alone tells of erased cases, and of threads with the cases that each is about."""

    cases: set[str] = field(default_factory=set)
    threads: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, read_log: ReadLog) -> Erasures:
        found, position = cls(), 0
        while events := read_log(position, CHUNK):
            position = events[-1].position
            for event in events:
                found.note(event.fact())
        return found

    def note(self, fact: Fact) -> None:
        if fact.type == ERASURE:
            self.cases.add(fact.stream)
        elif fact.sequence == 1 and is_thread_stream(fact.stream):
            self.threads[fact.stream] = fact.data["cases"]

    def streams(self) -> list[str]:
        """Whose words are gone: erased cases, and threads all of whose cases are erased."""
        rooms = [name for name, about in self.threads.items() if self.cases.issuperset(about)]
        return sorted({*self.cases, *rooms}) if self.cases else []


def _passed_on(case: Case, fact: Fact) -> Case:
    return Case(handed_over(case.state, fact), case.texts)


def _register(fact: Fact, effects: Effects) -> None:
    """An agency's stream has its own changes; the hub's has the calendars and policies too."""
    if fact.type.startswith("agency.") and fact.type != HANDED_OVER:
        effects.agencies.append(evolve_agency(fact.data))
    effects.dated_facts += dated_facts(fact)


def _refer(fact: Fact, effects: Effects) -> None:
    if fact.type == "complaint.submitted":
        source, accepted = fact.data["complaint"]["source"], fact.data.get("taken_over_at", fact.time)
        effects.references.append(
            Reference(source["agency"], source["reference"], fact.data["case_id"], accepted)
        )


def verify_chains(read_log: ReadLog) -> int:
    """Every stream's chain of hashes over the stored bytes; raises LogBroken at the first broken link.
    Keeps one hash a stream in memory (about 150 bytes each)."""
    links: dict[str, tuple[int, bytes]] = {}
    position = 0
    while events := read_log(position, CHUNK):
        for event in events:
            sequence, previous = links.get(event.stream, (0, NO_CHAIN))
            if event.sequence != sequence + 1:
                raise LogBroken(f"Stream {event.stream}: number {sequence} is followed by {event.sequence}.")
            if chain(previous, event.header, event.sealed) != event.chain:
                raise LogBroken(f"Event {event.id} at position {event.position}: its bytes were changed.")
            links[event.stream] = (event.sequence, event.chain)
        position = events[-1].position
    return position
