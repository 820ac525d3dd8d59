"""Who may read what of a thread at each time, told from the rules alone: no interval, no sequence and nothing
of the domain's own audience. Every text is a numbered word (`kata-17.`); whoever hears it is noted when it
falls, and a page or an event is right when it holds exactly the words of its reader."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.domain import decrees
from tests.domain.threads.roomwork import DAYS_OFF, REGISTRY

WORD = re.compile(rb"kata-\d+\.")
CLOSED = {*decrees.dates(decrees.PUBLIC), *decrees.dates(decrees.JOINT_LEAVE)}


def words_in(document: bytes) -> set[str]:
    return {found.decode() for found in WORD.findall(document)}


def closing(agency: str, day: date) -> datetime:
    return datetime.combine(day, time(16), ZoneInfo(REGISTRY[agency].time_zone)).astimezone(UTC)


def works(agency: str, day: date) -> bool:
    off = CLOSED | DAYS_OFF.get(agency, {}).keys()
    return day.weekday() < 5 and day.isoformat() not in off


def today(agency: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(REGISTRY[agency].time_zone)).date()


def due(agency: str, due_on: str, now: datetime) -> datetime:
    """Day by day: the first closing of that office on a working day, not before `due_on`, that is to come."""
    day = date.fromisoformat(due_on)
    while not works(agency, day) or closing(agency, day) <= now:
        day += timedelta(days=1)
    return closing(agency, day)


@dataclass
class Note:
    """A message as everybody's memory has it."""

    author: str
    scope: str
    carriers: set[str]
    words: list[str]
    attribution: list[str]
    """The officer's name, which stays when the message is withdrawn."""
    file: tuple[str, str] | None = None
    """sha256 and the word in its name."""
    withdrawn: bool = False


@dataclass
class Promise:
    agency: str
    made_by: str
    due_at: datetime
    words: list[str]
    status: str = "open"
    misses: list[datetime] = field(default_factory=list)


@dataclass
class Rights:
    opener: str
    subject: str
    here: set[str]
    heard: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """agency -> message it knows of -> the words of it that it may read, oldest first."""
    told: dict[str, set[str]] = field(default_factory=dict)
    """agency -> commitments that it knows of."""
    notes: dict[str, Note] = field(default_factory=dict)
    promises: dict[str, Promise] = field(default_factory=dict)
    officers: dict[str, list[str]] = field(default_factory=dict)
    conclusion: str | None = None
    kept: dict[str, set[str]] = field(default_factory=dict)
    """agency that left -> what stood on the thread's own page then."""

    def knows(self, agency: str, name: str) -> bool:
        return name in self.heard.get(agency, {}) or name in self.told.get(agency, set())

    # --- what happens ---------------------------------------------------------------------------------

    def posted(self, name: str, note: Note) -> None:
        self.notes[name] = note
        for agency in {note.author} if note.scope == "internal" else self.here:
            self.heard.setdefault(agency, {})[name] = list(note.words)

    def edited(self, name: str, word: str) -> None:
        """Whoever is away, or came after it and was not shown it, does not hear it."""
        self.notes[name].words.append(word)
        for agency in self.here:
            if name in self.heard.get(agency, {}):
                self.heard[agency][name].append(word)

    def withdrawn(self, name: str) -> None:
        note = self.notes[name]
        note.withdrawn = True
        for agency, known in self.heard.items():
            if agency != note.author and name in known:
                known[name] = []

    def joined(self, agency: str, history: str, officers: Iterable[str]) -> None:
        self.here.add(agency)
        self.officers[agency] = list(officers)
        if history == "all":
            self.told[agency] = set(self.promises)
            for name, note in self.notes.items():
                if note.scope != "internal" or note.author == agency:
                    gone = note.withdrawn and note.author != agency
                    self.heard.setdefault(agency, {})[name] = [] if gone else list(note.words)

    def left(self, agency: str) -> None:
        self.here.remove(agency)
        self.kept[agency] = self.board(agency)

    def promised(self, name: str, promise: Promise) -> None:
        self.promises[name] = promise
        for agency in self.here:
            self.told.setdefault(agency, set()).add(name)

    # --- what may be read -----------------------------------------------------------------------------

    def board(self, agency: str) -> set[str]:
        """The thread's own page, for one that takes part: what stands there is the same for all, but for
        commitments of which it does not know; one that it knows it knows as it stands."""
        found = {self.subject, *([self.conclusion] if self.conclusion else [])}
        found.update(*self.officers.values())
        return found.union(*(self.promises[name].words for name in self.told.get(agency, ())))

    def note_words(self, agency: str, name: str) -> set[str]:
        note = self.notes[name]
        found = {*self.heard[agency][name], *note.attribution}
        return found | ({note.file[1]} if note.file and not note.withdrawn else set())

    def page(self, agency: str) -> set[str]:
        found = self.board(agency) if agency in self.here else set(self.kept[agency])
        return found.union(*(self.note_words(agency, name) for name in self.heard.get(agency, {})))

    def may_fetch(self, agency: str, sha256: str) -> bool:
        return any(
            note.file is not None and note.file[0] == sha256 and not note.withdrawn
            and (name in self.heard.get(agency, {}) or agency in note.carriers)
            for name, note in self.notes.items()
        )  # fmt: skip

    def readers(self, kind: str, data: dict[str, Any]) -> set[str]:
        """Of an event that has just happened."""
        if kind.startswith("message_"):
            name = data["message"]["id"]
            return {each for each in self.here if self.knows(each, name)} | self.notes[name].carriers
        if kind.startswith("commitment_"):
            return {each for each in self.here if self.knows(each, data["commitment"]["id"])}
        return self.here | ({data["participant"]["agency"]} if kind.startswith("participant_") else set())

    def event_words(self, agency: str, data: dict[str, Any]) -> set[str]:
        """What an event may hold for a reader: what it may read, and for a carrier what it carries."""
        known = self.page(agency) if agency in self.here or agency in self.kept else set()
        note = self.notes.get(data.get("message", {}).get("id", ""))
        if note is not None and agency in note.carriers and not note.withdrawn:
            return known.union(note.words, note.attribution, [note.file[1]] if note.file else [])
        return known

    def late(self, now: datetime) -> list[str]:
        found = [name for name, each in self.promises.items() if each.status == "open" and each.due_at < now]
        return sorted(found, key=lambda name: (self.promises[name].due_at, name))
