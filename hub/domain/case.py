"""The case as immutable values: what `decide` looks at and `evolve` makes.

A case is two halves kept apart on purpose: `CaseState` holds clear facts only (codes, ids, states, dates),
`CaseTexts` the masked words. Erasure drops the second; nothing that is decided depends on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from hub.domain.case_texts import CaseTexts
from hub.domain.clocks import Clock
from hub.domain.copies import read
from hub.domain.transitions import HELD_LEG, OPEN_LEG, leg_moves


@dataclass(frozen=True)
class Leg:
    """One forwarding: from an agency to an agency. Times are RFC 3339 strings in UTC."""

    id: str
    sender: str
    to: str
    role: str
    status: str
    created_at: str
    updated_at: str
    reason: str | None = None
    suggested_agency: str | None = None
    due_at: str | None = None
    answered_at: str | None = None
    ended_sequence: int | None = None
    """The case's version in which the agency returned or lost this leg: what it may still see ends there."""
    ended_status: str | None = None
    """The case's status right after that."""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    """What the leg's answer names, without the names: those are `LegTexts.names`."""
    binding: bool = False
    """Sent by an owner to whom the case came because it had been returned too often: it names the handler,
    and cannot be returned."""
    reconsidered: bool = False
    """Its agency has asked the sender to reconsider it; that can be asked once."""

    def moves(self) -> dict[str, str]:
        """What may be done with it now -> its status after that."""
        return leg_moves(self.status, binding=self.binding, reconsidered=self.reconsidered)

    def moves_by(self, agency: str, owner: str) -> set[str]:
        """What `agency` may do with it now: its holder handles it; its sender and the case's owner withdraw
        it."""
        possible, found = set(self.moves()), set[str]()
        if agency == self.to:
            found |= possible - {"withdraw"}
        if agency in (self.sender, owner):
            found |= possible & {"withdraw"}
        return found


@dataclass(frozen=True)
class Consultation:
    """A question of the case's owner to another agency: is this yours? `verdict` is ours, partly or not_ours
    once it was answered."""

    id: str
    sender: str
    agency: str
    status: str
    created_at: str
    updated_at: str
    verdict: str | None = None
    suggested_agency: str | None = None
    due_at: str | None = None


DUPLICATE: Final = "duplicate"
"""The relation of two cases about one thing; the other one is `related`."""


@dataclass(frozen=True)
class CaseLink:
    """Another case that belongs to this one. `is_primary`: this one is a duplicate of it. `agency` owned it
    when they were linked."""

    case: str
    relation: str
    is_primary: bool
    agency: str


@dataclass(frozen=True)
class Room:
    """A coordination thread about the case: agency that takes part in it now -> when it joined."""

    thread: str
    agencies: dict[str, str]


@dataclass(frozen=True)
class Visit:
    """An agency that left a thread about the case: what it saw by that ends in version `until`, with the
    case's status and time of then."""

    agency: str
    until: int
    status: str
    at: str


@dataclass(frozen=True)
class Erasure:
    """When the case's key was destroyed, by which agency, and who held copies: each -> when it gave its
    receipt, None while it is waited for; those of them whose copy lies on topics too, for a day."""

    erased_at: str
    by: str
    receipts: dict[str, str | None]
    on_topic: tuple[str, ...] = ()


@dataclass(frozen=True)
class Handover:
    """What of the case passed on right after `version`: owning it, the legs and consultations in `parts`."""

    version: int
    sender: str
    to: str
    owner: bool
    parts: tuple[str, ...]
    at: str


@dataclass(frozen=True)
class CaseState:
    """The clear facts of one case after its event number `version`."""

    id: str
    tracking_number: str
    status: str
    version: int
    owner: str
    source: str
    reference: str
    content_digest: str
    complaint: dict[str, Any]
    """The complaint's clear members (see `privacy.split_complaint`)."""
    anonymous: bool
    confidential: bool
    created_at: str
    updated_at: str
    legs: tuple[Leg, ...] = ()
    verified: bool = False
    erased: bool = False
    consultations: tuple[Consultation, ...] = ()
    returned_leads: int = 0
    """Lead legs that were returned since the case got its present owner."""
    former_owners: tuple[str, ...] = ()
    """Who owned it before it was escalated, in that order."""
    escalated: str | None = None
    """The cause for which the present owner (or a deactivated one before it) got it; None for the first."""
    clocks: tuple[Clock, ...] = ()
    """Every clock that it ever had, in the order of their starts; see `timekeeping`."""
    replied: bool = False
    """The reporter has replied to the present answer."""
    reopenings: int = 0
    closed_at: str | None = None
    """When it was closed last; None while it is open."""
    historical: bool = False
    """Taken over from a backlog: the clocks of what happened before that are shown and raise nothing."""
    overseers: tuple[str, ...] = ()
    """Oversight to which it was escalated: they see it, and own nothing."""
    links: tuple[CaseLink, ...] = ()
    rooms: tuple[Room, ...] = ()
    """The threads about it: whoever takes part in one sees the case."""
    visits: tuple[Visit, ...] = ()
    """The last one of each agency that left a thread."""
    taken_over_at: str | None = None
    """When the hub got it from a backlog: later than what happened to it before."""
    handovers: tuple[Handover, ...] = ()
    """Recorded in the stream of the `sender`: the case's own version stays."""
    erasure: Erasure | None = None

    def leg(self, leg_id: str) -> Leg | None:
        return next((leg for leg in self.legs if leg.id == leg_id), None)

    def consultation(self, consultation_id: str) -> Consultation | None:
        return next((each for each in self.consultations if each.id == consultation_id), None)

    def verdict_of(self, agency: str) -> str | None:
        """What `agency` said last when it was consulted on this case; None if it never answered."""
        given = [each.verdict for each in self.consultations if each.agency == agency and each.verdict]
        return given[-1] if given else None

    def link_to(self, case_id: str) -> CaseLink | None:
        return next((each for each in self.links if each.case == case_id), None)

    def open_legs(self) -> list[Leg]:
        return [leg for leg in self.legs if leg.status in OPEN_LEG]

    def lead(self) -> Leg | None:
        """The lead leg that is neither returned nor withdrawn, if there is one."""
        return next((leg for leg in self.legs if leg.role == "lead" and leg.status in HELD_LEG), None)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> CaseState:
        """From the JSON that `orjson.dumps(state)` gives; takes the document over."""
        document["legs"] = tuple([read(Leg, leg) for leg in document["legs"]])
        document["clocks"] = tuple([Clock.from_document(clock) for clock in document.get("clocks", ())])
        document["links"] = tuple([read(CaseLink, link) for link in document.get("links", ())])
        document["rooms"] = tuple([read(Room, room) for room in document.get("rooms", ())])
        document["visits"] = tuple([read(Visit, visit) for visit in document.get("visits", ())])
        passed = document.get("handovers", ())
        document["handovers"] = tuple([Handover(**each | {"parts": tuple(each["parts"])}) for each in passed])
        asked = document.get("consultations", ())
        document["consultations"] = tuple([read(Consultation, each) for each in asked])
        if (erasure := document.get("erasure")) is not None:
            document["erasure"] = read(Erasure, erasure | {"on_topic": tuple(erasure.get("on_topic", ()))})
        for name in ("former_owners", "overseers"):
            document[name] = tuple(document.get(name, ()))
        return read(cls, document)


@dataclass(frozen=True)
class Case:
    """State and texts together; `texts` is None once the case was erased."""

    state: CaseState
    texts: CaseTexts | None


def leg_facts(leg: Leg, case_id: str) -> dict[str, Any]:
    """The clear members of a `forwarding` (schemas/forwarding), without its times: those are its events'."""
    facts: dict[str, Any] = {
        "id": leg.id,
        "case_id": case_id,
        "from": leg.sender,
        "to": leg.to,
        "role": leg.role,
        "status": leg.status,
        "due_at": leg.due_at,
        "created_at": leg.created_at,
    }
    if leg.reason is not None:
        facts["reason"] = leg.reason
    if leg.suggested_agency is not None:
        facts["suggested_agency"] = leg.suggested_agency
    return facts


def consultation_facts(asked: Consultation, case_id: str) -> dict[str, Any]:
    """The clear members of a consultation, without its times: those are its events'."""
    facts: dict[str, Any] = {
        "id": asked.id,
        "case_id": case_id,
        "from": asked.sender,
        "agency": asked.agency,
        "status": asked.status,
        "due_at": asked.due_at,
        "created_at": asked.created_at,
    }
    if asked.verdict is not None:
        facts["verdict"] = asked.verdict
    if asked.suggested_agency is not None:
        facts["suggested_agency"] = asked.suggested_agency
    return facts


def status_from_legs(legs: tuple[Leg, ...]) -> str:
    """The status that the legs alone give a verified case (answered when a lead leg has answered
    and no other leg, but returned or withdrawn ones, is open)."""
    held = [leg.status for leg in legs if leg.status in HELD_LEG]
    open_legs = [status for status in held if status in OPEN_LEG]
    lead_answered = any(leg.role == "lead" and leg.status == "answered" for leg in legs)
    if lead_answered and not open_legs:
        return "answered"
    if any(status != "sent" for status in held):
        return "in_progress"
    return "forwarded" if held else "verified"
