"""The thread and its messages as immutable values: what `decisions` looks at and `evolution` makes.

Clear facts and masked words are kept apart, as in a case. Messages are not part of the thread's state, so
that a long thread costs no more than a short one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

INTERNAL: Final = "internal"
AGENCIES: Final = "agencies"
REPORTER: Final = "reporter"
ALL: Final = "all"
FROM_NOW: Final = "from_now"
UNFULFILLED: Final = frozenset({"open", "missed"})


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in which an agency took part: it sees the events numbered above `after`, up to `until` (None:
    it still takes part)."""

    after: int
    joined_at: str
    until: int | None = None
    left_at: str | None = None

    def covers(self, sequence: int) -> bool:
        return self.after < sequence and (self.until is None or sequence <= self.until)


@dataclass(frozen=True, slots=True)
class Participant:
    """An agency with its stays, oldest first."""

    agency: str
    stays: tuple[Stay, ...]

    @property
    def is_present(self) -> bool:
        return self.stays[-1].until is None

    def sees(self, sequence: int) -> bool:
        return any(stay.covers(sequence) for stay in self.stays)


@dataclass(frozen=True, slots=True)
class Commitment:
    """Who does something by when. `due_at` is when the office of `agency` closes on `due_on`, or on the first
    working day after it; `status` open, missed or fulfilled; `sequence` the event that made it."""

    id: str
    agency: str
    due_on: str
    due_at: str
    status: str
    made_by: str
    made_at: str
    sequence: int
    changes: tuple[dict[str, Any], ...] = ()
    """{due_on, agency, changed_at} of each change of its date: what it was changed to, by whom."""
    fulfilled_by: str | None = None
    fulfilled_at: str | None = None
    handed_over_from: str | None = None
    """The agency that owed it before, where it was handed over; the date is still by its calendar."""


@dataclass(frozen=True, slots=True)
class ThreadState:
    """The clear facts of one thread after its event number `sequence`. `version` counts only what every
    participant may know of: an internal message moves neither it nor `updated_at`."""

    id: str
    status: str
    version: int
    sources: dict[str, str]
    """Its cases, in the order in which they were named -> the source agency of each."""
    opened_by: str
    participants: tuple[Participant, ...]
    created_at: str
    updated_at: str
    commitments: tuple[Commitment, ...] = ()
    concluded_by: str | None = None
    concluded_at: str | None = None
    erased: bool = False
    kept_by: str | None = None
    """Who took the opener's place by a handover; None while it is the opener's own."""

    @property
    def keeper(self) -> str:
        """The agency with the opener's rights now. `opened_by` is history and stays."""
        return self.kept_by or self.opened_by

    @property
    def cases(self) -> list[str]:
        return list(self.sources)

    def participant(self, agency: str) -> Participant | None:
        return next((each for each in self.participants if each.agency == agency), None)

    def has(self, agency: str) -> bool:
        """Whether the agency takes part now."""
        found = self.participant(agency)
        return found is not None and found.is_present

    def present(self) -> list[str]:
        return [each.agency for each in self.participants if each.is_present]

    def commitment(self, commitment_id: str) -> Commitment | None:
        return next((each for each in self.commitments if each.id == commitment_id), None)

    def unfulfilled(self) -> list[Commitment]:
        return [each for each in self.commitments if each.status in UNFULFILLED]

    def next_wake(self) -> str | None:
        """The moment after which the first open commitment is late (RFC 3339 in UTC), or None."""
        if self.erased:
            return None
        return min((each.due_at for each in self.commitments if each.status == "open"), default=None)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ThreadState:
        """From the JSON that `orjson.dumps(state)` gives."""
        participants = tuple(
            Participant(each["agency"], tuple(Stay(**stay) for stay in each["stays"]))
            for each in document.pop("participants")
        )
        commitments = tuple(
            Commitment(changes=tuple(each.pop("changes")), **each) for each in document.pop("commitments")
        )
        return cls(participants=participants, commitments=commitments, **document)


@dataclass(frozen=True, slots=True)
class CommitmentTexts:
    """What was promised, by which officer, why its date was changed each time, and how it was fulfilled."""

    text: str | None = None
    officer: str | None = None
    reasons: list[str] = field(default_factory=list)
    fulfilment: str | None = None


@dataclass(frozen=True, slots=True)
class ThreadTexts:
    """The masked words of a thread, but for its messages'."""

    subject: str = ""
    officers: dict[str, list[str]] = field(default_factory=dict)
    """agency -> the officers that it named."""
    commitments: dict[str, CommitmentTexts] = field(default_factory=dict)
    conclusion: str | None = None

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ThreadTexts:
        made = {name: CommitmentTexts(**each) for name, each in document.pop("commitments").items()}
        return cls(commitments=made, **document)


@dataclass(frozen=True, slots=True)
class Thread:
    """State and texts together; `texts` is None once the thread's key was destroyed."""

    state: ThreadState
    texts: ThreadTexts | None


@dataclass(frozen=True, slots=True)
class MessageState:
    """The clear facts of one message. `sequence` is the event that posted it; `edits` are the events (with
    their times) that gave it other words."""

    id: str
    thread_id: str
    sequence: int
    author: str
    scope: str
    posted_at: str
    mentions: tuple[str, ...] = ()
    attachments: tuple[dict[str, Any], ...] = ()
    cases: tuple[str, ...] = ()
    """With scope `reporter`: the cases whose reporters it is for."""
    edits: tuple[tuple[int, str], ...] = ()
    withdrawn_sequence: int | None = None
    """Stored, and read by nobody."""
    withdrawn_at: str | None = None
    officer_id: str | None = None

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> MessageState:
        for name in ("mentions", "attachments", "cases"):
            document[name] = tuple(document[name])
        document["edits"] = tuple((sequence, at) for sequence, at in document["edits"])
        return cls(**document)


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """Its words as they were first and after each edit, masked; the officer who wrote it, if one is named;
    the names of its files."""

    versions: list[str]
    officer: str | None = None
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Message:
    """State and texts together; `texts` is None once the thread's key was destroyed."""

    state: MessageState
    texts: MessageTexts | None
