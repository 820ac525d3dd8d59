"""What the outside may ask of the hub about cases: submitting, acting, masking; `reading` is apart. Routes
and inbound records call it; files, webhooks, tokens and agencies have desks of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.limits import DEFAULT_LIMITS, Limits
from hub.domain.privacy import mask_all
from hub.errors import NoSuchCase, NotFound, Problem
from hub.ports.clock import Clock
from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession
from hub.ports.threads import ReadMarks
from hub.service.acts import with_words, words_of
from hub.service.case_reading import CaseReading
from hub.service.evidence import EvidenceDesk
from hub.service.handovers import HandoverDesk
from hub.service.identities import own_values_of
from hub.service.ids import Ids
from hub.service.intake import ComplaintDesk
from hub.service.known_parts import KnownParts
from hub.service.mailboxes import Mailboxes
from hub.service.readers import Readers
from hub.service.registry import Registry
from hub.service.rendered import Rendering
from hub.service.reporter_reading import ReporterDesk
from hub.service.requests import Command, Idempotency, Outcome, Request
from hub.service.rights import allowed_case
from hub.service.thread_reading import ThreadReading
from hub.service.writer import Writer

Body = dict[str, Any]


class Masked(NamedTuple):
    """What an officer wrote as it may be kept, the kinds of what was masked, and the case it is about."""

    case_id: str
    texts: list[str]
    kinds: list[str]


@dataclass(slots=True)
class Hub:
    """The service's face. Made by the composition root (`hub/app.py`)."""

    public_url: str
    registry: Registry
    desk: ComplaintDesk
    writer: Writer
    readers: Readers
    mailboxes: Mailboxes
    sealing: Sealing
    ids: Ids
    clock: Clock
    read_marks: ReadMarks
    limits: Limits = DEFAULT_LIMITS
    purge: Callable[[], list[str]] = list
    """After an erasure: what it destroyed goes from the disk too. On a thread of its own; what may remain, in
    words. Raises SimpulError where it is put off."""
    parts: KnownParts = field(default_factory=KnownParts)
    rendering: Rendering = field(init=False)
    reading: CaseReading = field(init=False)
    threads: ThreadReading = field(init=False)
    evidence: EvidenceDesk = field(init=False)
    handovers: HandoverDesk = field(init=False)
    reporters: ReporterDesk = field(init=False)

    def __post_init__(self) -> None:
        self.rendering = Rendering(self.sealing, self.public_url)
        self.reading = CaseReading(self.readers, self.sealing, self.rendering, self.clock, self.limits)
        self.threads = ThreadReading(
            self.readers, self.writer, self.sealing, self.rendering, self.read_marks, self.clock
        )
        self.evidence = EvidenceDesk(
            self.readers,
            self.sealing,
            self.rendering,
            self.clock,
            self.public_url,
            self.registry.agencies,
        )
        self.reporters = ReporterDesk(self.readers, self.sealing, self.act)

        self.handovers = HandoverDesk(self.readers, self.rendering, self.sealing, self.registry.agencies)

    # --- writing -----------------------------------------------------------------------------------------

    async def submit(
        self, principal: Principal, document: Any, idempotency: Idempotency | None = None
    ) -> Outcome:
        """One complaint. 201 new, 200 the same again; else the Problem is raised."""
        self.desk.require_scope(principal)
        return await self._one(await self.desk.prepare_aside(principal, document, idempotency))

    async def act(
        self,
        principal: Principal,
        command: Command,
        *,
        idempotency: Idempotency | None = None,
        if_match: int | None = None,
        words: tuple[str, ...] = (),
    ) -> Outcome:
        """Any other command. Its texts must be masked already (`mask_body`), but for those in the members
        `words`, which the transaction masks (`words.py`)."""
        request = Request(principal, command, idempotency, None, if_match, words=words)
        outcome = await self._one(request)
        self.parts.learn_from(outcome)
        return outcome

    async def _one(self, request: Request) -> Outcome:
        (result,) = await self.writer.submit([request])
        if isinstance(result, Problem):
            raise result
        return result

    def idempotency(
        self, principal: Principal, method: str, path: str, key: str | None, body: bytes
    ) -> Idempotency | None:
        """The keyed hashes under which a write is remembered; None without an Idempotency-Key."""
        if key is None:
            return None
        scope = "\n".join((principal.client_id, method, path, key)).encode()
        digest = self.sealing.hub_digest
        return Idempotency(digest("idempotency-key", scope), digest("idempotency-body", body))

    # --- rights, before a body is judged and before an identity is opened ----------------------------------

    async def check(
        self, principal: Principal, action: str, *, case_id: str | None = None, leg_id: str | None = None
    ) -> str:
        """Existence and rights on a read connection: 404, 410 or 403; gives the case's id. What passes is
        decided again in the transaction."""
        case = await self.readers.run(
            lambda session: allowed_case(session, principal, action, case_id, leg_id)
        )
        return case.state.id

    async def case_of(self, part_id: str) -> str:
        """The case of a forwarding or a consultation, or 404; rights are asked in the transaction."""
        known = self.parts.case_of(part_id)
        if known is None:
            known = await self.readers.glance(lambda session: session.case_of_leg(part_id))
            if known is None:
                raise NoSuchCase
            self.parts.learn(part_id, known)
        return known

    async def mask_text(
        self,
        principal: Principal,
        action: str,
        texts: Sequence[str],
        *,
        case_id: str | None = None,
        leg_id: str | None = None,
    ) -> Masked:
        """What officers write, masked on entry: NIK, phones, e-mails, the reporter's own
        values. These are opened only for who may do the action (else `check`'s answers), and do not leave the
        reader's thread."""

        def look(session: ReadSession) -> Masked:
            case = allowed_case(session, principal, action, case_id, leg_id)
            gone = action == "erase"  # what is said of an erasure is never sealed, and outlives it
            own = own_values_of(session, self.sealing, case.state, hidden=gone) if texts else []
            return Masked(case.state.id, *mask_all(texts, own))

        return await self.readers.run(look)

    async def mask_body(
        self,
        principal: Principal,
        action: str,
        body: Body,
        members: Sequence[str],
        *,
        case_id: str | None = None,
        leg_id: str | None = None,
    ) -> tuple[str, Body, list[str]]:
        """`mask_text` for the named members of a command's body, and for its files' names, which are words
        too: the case's id, the masked body, the kinds."""
        texts = words_of(body, members)
        if case_id is not None and not texts:
            return case_id, body, []
        if leg_id is not None and not texts:
            return await self.case_of(leg_id), body, []
        found = await self.mask_text(principal, action, texts, case_id=case_id, leg_id=leg_id)
        return found.case_id, with_words(body, members, found.texts), found.kinds

    def agency(self, agency_id: str) -> Agency:
        found = self.registry.agencies.get(agency_id)
        if found is None:
            raise NotFound(f"No agency {agency_id!r} is registered.")
        return found
