"""What goes into the transaction and what comes out: requests, outcomes, idempotency."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Final, NamedTuple

from auth.principal import Principal
from hub.domain.agency import HUB, Agency
from hub.domain.case import Case
from hub.domain.commands import Answer, CaseCommand, SubmitComplaint
from hub.domain.events import By
from hub.domain.handover import HandOver
from hub.domain.policies import Policy
from hub.domain.threads.commands import (
    AddParticipant,
    OpenThread,
    PostMessage,
    RemoveParticipant,
    ThreadCommand,
)
from hub.domain.threads.thread import Message, Thread
from hub.domain.working_time import Calendar
from hub.errors import Invalid, Problem
from hub.ports.effects import Identity, Remembered
from hub.ports.relaying import Origin
from hub.ports.sealing import StreamKey

OPERATOR: Final = "operator"
"""The client id of whoever works on the hub's own command line; no token carries it."""
CLOCK: Final = "clock"
"""The client id of the hub's own clock; no token carries it."""
BY_ITSELF: Final = Principal(CLOCK, HUB, frozenset(), "", 0.0)
"""Who acts when time or a sweep does."""
BROKER: Final = "broker"
"""The client id of what came by an agency's inbound topic, to which the broker lets that agency alone write;
no token carries it."""
INTERNAL: Final = frozenset({OPERATOR, CLOCK, BROKER})
ZONES: Final = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
"""WIB, WITA and WIT: the official calendar is recorded for each."""
_VERSION: Final = re.compile(r'(?:W/)?"([0-9]{1,15})"|([0-9]{1,15})')


def seen_version(given: str | None) -> int | None:
    """The version that the caller saw, of the header If-Match: `"3"`, `W/"3"` or 3; None without it or for
    `*`. Invalid (422) for anything else."""
    if given is None or given.strip() == "*":
        return None
    found = _VERSION.fullmatch(given.strip())
    if not found:
        detail = 'The version of the case that you read is needed, as its ETag says it: "3".'
        raise Invalid("The header If-Match cannot be read.", parameters=[("If-Match", detail)])
    return int(found[1] or found[2])


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Keyed hashes of (client, method, path, key) and of the body; neither can be guessed from the table."""

    key: bytes
    body: bytes


def require_same_body(known: Remembered, idempotency: Idempotency) -> None:
    """Invalid (422) for a key that took effect before with another body."""
    if not compare_digest(known.body, idempotency.body):
        raise Invalid(
            "This Idempotency-Key was used before with another body. Use a new key for a new request.",
            code="idempotency-key-reused",
        )


@dataclass(frozen=True, slots=True)
class RegisterAgency:
    action = "register_agency"
    agency: Agency


@dataclass(frozen=True, slots=True)
class ChangeAgency:
    """`changes` holds the members of `Agency` that shall be different."""

    action = "change_agency"
    agency_id: str
    changes: dict[str, object]


def sets_calendar(command: RegisterAgency | ChangeAgency) -> bool:
    """Whether it may give the agency a calendar that the log does not have: that goes into the hub's own
    stream, which must then be locked and loaded too."""
    if isinstance(command, ChangeAgency):
        return bool(command.changes.keys() & {"days_off", "time_zone"})
    return bool(command.agency.days_off) or command.agency.time_zone not in ZONES


@dataclass(frozen=True, slots=True)
class RecordRules:
    """Policies and the official calendar (in WIB, from `source`) as they shall be from now on; None keeps
    what there is. What the log says already is not said again."""

    action = "record_rules"
    policies: tuple[Policy, ...] | None = None
    official: Calendar | None = None
    source: str = ""


class NamedFile(NamedTuple):
    """A file that a document names: its place in `attachments`, and what the document says of it."""

    place: int
    sha256: str
    media_type: str
    size: int


def named_files(attached: Iterable[dict[str, Any]]) -> tuple[NamedFile, ...]:
    """Of a document's `attachments` those that its agency must have uploaded: the ones without a `url`."""
    return tuple(
        NamedFile(index, file["sha256"], file["media_type"], file["size"])
        for index, file in enumerate(attached)
        if "url" not in file
    )


@dataclass(frozen=True, slots=True)
class Intake:
    """What a new complaint brings beside its command: the new case's key, the sealed vault row, and the
    canonical bytes by which a repeated reference is told from a changed one."""

    key: StreamKey
    identity: Identity
    content: bytes
    uploads: tuple[NamedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """An inbound record that was refused before it became a command: its answer and its place are still
    written. `dead`: why it is a dead letter (it was no command at all), None for a plain refusal."""

    action = "refuse"
    problem: Problem
    dead: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """An inbound record that is in effect already, harmlessly however often (a read mark): its place and its
    answer, which names `ids` of that `kind`, are still written."""

    action = "settled"
    kind: str
    ids: tuple[str, ...]


SHARES_CASES: Final = (OpenThread, AddParticipant, RemoveParticipant, HandOver)
"""The commands that name the cases whose readers they change."""
Command = (
    CaseCommand | ThreadCommand | RegisterAgency | ChangeAgency | HandOver | RecordRules | Refuse | Settled
)


@dataclass(frozen=True, slots=True)
class Request:
    """One command, by whom, parsed and sealed beforehand. `if_match` is the version that the caller saw."""

    principal: Principal
    command: Command
    idempotency: Idempotency | None = None
    intake: Intake | None = None
    if_match: int | None = None
    origin: Origin | None = None
    """Set for what came from the broker: taken once, answered there."""
    masked: tuple[str, ...] = ()
    """The kinds of what was masked in it, which an answer at the broker tells its writer."""
    words: tuple[str, ...] = ()
    """The members of the command whose words are as the officer wrote them: the transaction masks them."""

    def by(self, now: str) -> By:
        """Who does it, for the events that it makes."""
        return By(self.principal.agency, now, self.principal.officer)

    @property
    def case_id(self) -> str | None:
        return getattr(self.command, "case_id", None)

    @property
    def case_ids(self) -> frozenset[str]:
        """Every case that is there already and that it reads and may change."""
        if self.intake is not None:
            return frozenset()
        if isinstance(self.command, SHARES_CASES):
            return frozenset(self.command.cases)
        named = (self.case_id, getattr(self.command, "other_id", None))
        return frozenset(case_id for case_id in named if case_id)

    @property
    def thread_id(self) -> str | None:
        """The coordination thread that it opens or is about."""
        return getattr(self.command, "thread_id", None)

    @property
    def thread_ids(self) -> frozenset[str]:
        """Every thread that it reads and may change."""
        if isinstance(self.command, HandOver):
            return frozenset(self.command.threads)
        return frozenset((self.thread_id,)) if self.thread_id else frozenset()

    @property
    def files(self) -> tuple[NamedFile, ...]:
        """Each file that the command names and its agency must have uploaded."""
        if isinstance(self.command, Answer | PostMessage):
            return named_files(self.command.attachments)
        return self.intake.uploads if self.intake else ()

    @property
    def reference(self) -> tuple[str, str] | None:
        """The (agency, reference) pair that a new complaint takes."""
        if not isinstance(self.command, SubmitComplaint):
            return None
        source = self.command.clear["source"]
        return source["agency"], source["reference"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command that took effect (or did before: `replayed`). `kind` says what `ids` name: case,
    consultation, forwardings, forwarding, agency, handover, thread, message, commitment; `taken` for an
    inbound record that had taken effect before. `case` and `thread` are as they stood right after it."""

    status: int
    kind: str
    ids: tuple[str, ...]
    case: Case | None = None
    agency: Agency | None = None
    thread: Thread | None = None
    message: Message | None = None
    replayed: bool = False
    masked: tuple[str, ...] = ()
    """The kinds of what the transaction masked."""


Result = Outcome | Problem
