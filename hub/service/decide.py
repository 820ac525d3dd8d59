"""One request over the overlay: still allowed? seen before? then the domain decides, and the events are made
(header, seal, chain). Nothing is adopted before everything is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest
from typing import Final

from hub.domain.agency import HUB, Agency, change, evolve_agency, register
from hub.domain.audience import recipients
from hub.domain.case import Case
from hub.domain.commands import Advise, CaseCommand, Consult, Forward, Return, SubmitComplaint, part_of
from hub.domain.consultation import check_consulted
from hub.domain.decisions import Around, check_addressed, decide, submit
from hub.domain.events import Draft, Fact, agency_stream, chain, is_agency_stream, texts_document
from hub.domain.evolution import evolve
from hub.domain.forwarding import ended_leg
from hub.domain.recipients import check_recipients
from hub.errors import (
    Erased,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    StateConflict,
    Unauthenticated,
)
from hub.ports.files import UPLOAD_KEPT
from hub.ports.sealing import Sealing, StreamKey
from hub.ports.store import FileHolding, Head
from hub.service.ids import Ids
from hub.service.overlay import Appended, Overlay, Staged
from hub.service.requests import OPERATOR, ChangeAgency, Outcome, Refuse, RegisterAgency, Request
from hub.service.rights import allow, require_scope, sees_it_frozen, there

NOT_UPLOADED: Final = (
    f"Your agency has uploaded no such file in the last {UPLOAD_KEPT // timedelta(hours=1)} hours; "
    "POST it to /v1/attachments first."
)


class Decider:
    """Pure but for fresh ids and sealing."""

    def __init__(self, sealing: Sealing, ids: Ids, returns_limit: int = 3) -> None:
        self._sealing = sealing
        self._ids = ids
        self._returns_limit = returns_limit

    def run(self, request: Request, overlay: Overlay, now: str) -> Outcome:
        """The outcome, adopted by the overlay; raises a Problem and leaves it untouched otherwise."""
        principal = request.principal
        if isinstance(request.command, Refuse):
            raise request.command.problem
        if principal.client_id in overlay.inactive:
            raise Unauthenticated("This client was revoked; ask the hub's administrator for a new one.")
        _require_active(overlay.agencies.get(principal.agency), request)
        replayed = _replay(request, overlay)
        if replayed is not None:
            return replayed
        command = request.command
        if isinstance(command, SubmitComplaint):
            return self._submit(command, request, overlay, now)
        if isinstance(command, RegisterAgency | ChangeAgency):
            return self._agency(command, request, overlay, now)
        return self._case(command, request, overlay, now)

    def _submit(self, command: SubmitComplaint, request: Request, overlay: Overlay, now: str) -> Outcome:
        if request.reference in overlay.references:
            return self._repeated(request, overlay)
        source = command.clear["source"]["agency"]
        check_addressed(command.clear.get("addressed_to") or (), source, overlay.agencies.get)
        _require_files(request, overlay)
        if request.intake is None:
            raise TypeError("a SubmitComplaint needs its Intake")
        key = request.intake.key
        staged = self._stage(command.case_id, submit(command), request, overlay, now, case=None, key=key)
        overlay.adopt(staged, command.case_id, new=True)
        return Outcome(201, "case", (command.case_id,), case=staged.case)

    def _repeated(self, request: Request, overlay: Overlay) -> Outcome:
        """The same reference again: the same case if the content is the same (`POST /v1/complaints`)."""
        reference = overlay.references[request.reference or ("", "")]
        case, intake = overlay.cases[reference.case_id], request.intake
        known = {"case_id": case.state.id}
        key = self._key(case.state.id, overlay)
        if key is None or intake is None or case.state.erased:
            raise Erased(
                "This complaint was erased; it is final and is not kept again.",
                code="complaint-erased",
                extra=known,
            )
        digest = self._sealing.keyed_digest(key, "content", intake.content).hex()
        if not compare_digest(digest, case.state.content_digest):
            raise StateConflict(
                f"The reference {reference.reference!r} was submitted before with other content. A changed "
                "complaint is a reply or a new complaint under a reference of its own.",
                code="complaint-conflict",
                extra=known,
            )
        return Outcome(200, "case", (case.state.id,), case=case)

    def _case(self, command: CaseCommand, request: Request, overlay: Overlay, now: str) -> Outcome:
        case = there(overlay.cases.get(command.case_id))
        part, actor = part_of(command), request.principal.agency
        allow(request.principal, command.action, case, part)
        _check_agencies(command, case, actor, overlay)  # 422 comes before 412
        _require_files(request, overlay)
        if part is not None and sees_it_frozen(request.principal, case):  # before 412: that tells the version
            raise ended_leg(case.state, part, actor, command.action)
        if request.if_match is not None and request.if_match != case.state.version:
            raise PreconditionFailed(
                f"The case is at version {case.state.version} now, not {request.if_match}; read it again.",
                extra={"version": case.state.version},
            )
        around = Around(actor, overlay.agencies.get, self._returns_limit)
        drafts = decide(command, case, around)
        staged = self._stage(case.state.id, drafts, request, overlay, now, case=case, key=None)
        overlay.adopt(staged, case.state.id)
        if isinstance(command, Forward):
            ids = tuple(recipient.leg_id for recipient in command.to)
            return Outcome(201, "forwardings", (case.state.id, *ids), case=staged.case)
        if isinstance(command, Consult | Advise):
            status = 201 if isinstance(command, Consult) else 200
            return Outcome(status, "consultation", (case.state.id, command.consultation_id), case=staged.case)
        if part is not None:
            return Outcome(200, "forwarding", (case.state.id, part), case=staged.case)
        return Outcome(200, "case", (case.state.id,), case=staged.case)

    def _agency(
        self, command: RegisterAgency | ChangeAgency, request: Request, overlay: Overlay, now: str
    ) -> Outcome:
        require_scope(request.principal, "agencies:write")
        status, draft = 200, None
        if isinstance(command, RegisterAgency):
            parent = overlay.agencies.get(command.agency.parent or "")
            status, draft = 201, register(command.agency, overlay.agencies.get(command.agency.id), parent)
            agency = command.agency
        else:
            known = overlay.agencies.get(command.agency_id)
            if known is None:
                raise NotFound(f"No agency {command.agency_id!r} is registered.")
            agency = replace(known, **command.changes)  # type: ignore[arg-type]  # checked by the schema
            draft = change(known, agency, overlay.agencies.get(agency.parent or ""))
        if draft is not None:
            stream = agency_stream(agency.id)
            overlay.adopt(self._stage(stream, [draft], request, overlay, now, case=None, key=None), stream)
        return Outcome(status, "agency", (agency.id,), agency=agency)

    def _stage(
        self,
        stream: str,
        drafts: list[Draft],
        request: Request,
        overlay: Overlay,
        now: str,
        *,
        case: Case | None,
        key: StreamKey | None,
    ) -> Staged:
        staged = Staged(head=overlay.head(stream), case=case, key=key or overlay.keys.get(stream))
        for draft in drafts:
            self._append(staged, stream, draft, request.principal.agency, overlay, now)
        self._hold_files(staged, stream, request, overlay)
        return staged

    def _hold_files(self, staged: Staged, stream: str, request: Request, overlay: Overlay) -> None:
        """The case that names a file holds the file's key from now on."""
        for named in request.files:
            sha256, wrapped = named.sha256, overlay.files[named.sha256, request.principal.agency].key
            key = staged.key or self._key(stream, overlay)
            if key is None:
                raise StateConflict("The case was erased; nothing can be added to it.")
            file_key = self._sealing.unwrap_file_key(wrapped.stream, sha256, wrapped)
            staged.holders.append(
                FileHolding(sha256, stream, self._sealing.wrap_file_key(key, sha256, file_key))
            )

    def _append(
        self, staged: Staged, stream: str, draft: Draft, actor: str, overlay: Overlay, now: str
    ) -> None:
        head = staged.head
        fact = Fact(
            draft.id or self._ids.new(), draft.type, now, stream, head.sequence + 1, actor, {}, draft.facts
        )
        if is_agency_stream(stream):
            staged.agency = evolve_agency(draft.facts)
            fact = replace(fact, recipients=dict.fromkeys(sorted({actor, HUB, fact.subject}), "agency"))
        else:
            after = evolve(staged.case, fact, draft.texts)
            before = staged.case.state if staged.case else None
            fact = replace(fact, recipients=recipients(before, after.state, actor))
            staged.case = after
        sealed = draft.sealed or self._seal(staged, stream, fact.id, draft, overlay)
        header = fact.to_bytes()
        link = chain(head.chain, header, sealed)
        staged.events.append(
            Appended(stream, fact.sequence, fact.id, header, sealed, link, tuple(fact.recipients))
        )
        staged.head = Head(fact.sequence, link)

    def _seal(
        self, staged: Staged, stream: str, event_id: str, draft: Draft, overlay: Overlay
    ) -> bytes | None:
        if not draft.texts:
            return None
        if staged.key is None:
            staged.key = self._key(stream, overlay)
        if staged.key is None:
            raise StateConflict("The case was erased; nothing can be added to it.")
        return self._sealing.seal_event(staged.key, event_id, {"masked": texts_document(draft.texts)})

    def _key(self, stream: str, overlay: Overlay) -> StreamKey | None:
        if stream not in overlay.keys and stream in overlay.wrapped:
            overlay.keys[stream] = self._sealing.open_stream_key(overlay.wrapped[stream])
        return overlay.keys.get(stream)


def _replay(request: Request, overlay: Overlay) -> Outcome | None:
    if request.idempotency is None:
        return None
    row = overlay.remembered.get(request.idempotency.key)
    if row is None:
        return None
    if not compare_digest(row.body, request.idempotency.body):
        raise Invalid(
            "This Idempotency-Key was used before with another body. Use a new key for a new request.",
            code="idempotency-key-reused",
        )
    case = overlay.cases.get(row.ids[0]) if row.kind != "agency" else None
    return Outcome(row.status, row.kind, row.ids, case=case, replayed=True)


def _require_active(agency: Agency | None, request: Request) -> None:
    if request.principal.client_id != OPERATOR and (agency is None or not agency.active):
        raise Forbidden(
            f"The agency {request.principal.agency} is not active; ask the hub's administrator.",
            code="agency-inactive",
        )


def _require_files(request: Request, overlay: Overlay) -> None:
    flaws: list[tuple[str, str]] = []
    for file in request.files:
        pointer = f"/attachments/{file.place}"
        uploaded = overlay.files.get((file.sha256, request.principal.agency))
        if uploaded is None:
            flaws.append((f"{pointer}/sha256", NOT_UPLOADED))
            continue
        if file.media_type.lower() != uploaded.media_type:
            flaws.append((f"{pointer}/media_type", f"The file was uploaded as {uploaded.media_type}."))
        if file.size != uploaded.size:
            flaws.append((f"{pointer}/size", f"The file that was uploaded is {uploaded.size} bytes long."))
    if flaws:
        raise Invalid("An attachment is not there, or not as it is described.", flaws=flaws)


def _check_agencies(command: CaseCommand, case: Case, actor: str, overlay: Overlay) -> None:
    """422 for an agency that the command names and that is not there, or impossible there."""
    if isinstance(command, Return | Advise) and command.suggested_agency:
        _require_known(command.suggested_agency, overlay)
    elif isinstance(command, Forward):
        check_recipients(command.to, case.state, actor, overlay.agencies.get)
    elif isinstance(command, Consult):
        check_consulted(command.agency, case.state.owner, overlay.agencies.get)


def _require_known(agency: str, overlay: Overlay) -> None:
    found = overlay.agencies.get(agency)
    if found is None or not found.active:
        raise Invalid(
            "The suggested agency is not there.",
            flaws=[
                ("/suggested_agency", f"No active agency {agency!r} is registered; see GET /v1/agencies.")
            ],
        )
