"""One request over the overlay: still allowed? seen before? what has time done meanwhile? then the domain
decides, and `staging.py` makes the events. Nothing of it is adopted before everything is done, but for what
time alone has made of a case (`_woken`)."""

from __future__ import annotations

from dataclasses import replace
from hmac import compare_digest

from hub.domain.agency import HUB, Agency, change, register
from hub.domain.audience import takes_part
from hub.domain.case import Case
from hub.domain.commands import (
    CaseCommand,
    ErasureCommand,
    Link,
    PassOn,
    SubmitComplaint,
    Tick,
    Unlink,
    part_of,
)
from hub.domain.decide import decide
from hub.domain.decisions import Around, check_addressed, conflict, submit
from hub.domain.events import By, agency_stream
from hub.domain.forwarding import ended_leg
from hub.domain.handover import HandOver
from hub.domain.history import TakeOver, take_over
from hub.domain.lapses import is_due
from hub.domain.limits import DEFAULT_LIMITS, Limits
from hub.domain.links import link, unlink
from hub.domain.threads.commands import ThreadCommand
from hub.errors import (
    Erased,
    Forbidden,
    Invalid,
    NotFound,
    StateConflict,
    Unauthenticated,
)
from hub.ports.sealing import Sealing
from hub.service.erasing import ErasureDecider
from hub.service.handing_over import HandoverDecider
from hub.service.ids import Ids
from hub.service.named import check_agencies, named_in, require_files
from hub.service.overlay import Overlay
from hub.service.passing_on import pass_on
from hub.service.requests import (
    CLOCK,
    OPERATOR,
    ChangeAgency,
    Outcome,
    RecordRules,
    Refuse,
    RegisterAgency,
    Request,
    Settled,
    require_same_body,
    sets_calendar,
)
from hub.service.rights import allow, allow_without_case, require_version, sees_it_frozen, there
from hub.service.rulebook import Rulebook, own_calendar, record
from hub.service.staging import Recorder
from hub.service.thread_deciding import ThreadDecider
from hub.service.words import OfficersWords, require_maskable


class Decider:
    """Reads the rulebook again where another process may have written to it; else pure but for fresh ids and
    sealing."""

    def __init__(
        self, sealing: Sealing, ids: Ids, rulebook: Rulebook, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._sealing = sealing
        self._recorder = Recorder(sealing, ids, rulebook)
        self._words = OfficersWords(sealing, self._recorder)
        self._threads = ThreadDecider(sealing, ids, rulebook, self._recorder, self._words)
        self._erasures = ErasureDecider(self._recorder, self._woken, self._around, rulebook)
        self._handovers = HandoverDecider(sealing, ids, self._recorder, self._threads, self._woken)
        self._rulebook = rulebook
        self._limits = limits

    def refresh(self) -> None:
        """Before each batch: the calendars and policies in force."""
        self._rulebook.refresh()

    def run(self, request: Request, overlay: Overlay, now: str) -> Outcome:
        """The outcome, adopted by the overlay; raises a Problem otherwise, and leaves it as it was, but for
        what time has made of the case."""
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
        require_maskable(request)
        if isinstance(command, Settled):
            return Outcome(200, command.kind, command.ids)
        if isinstance(command, SubmitComplaint):
            return self._submit(command, request, overlay, now)
        if isinstance(command, RegisterAgency | ChangeAgency):
            return self._agency(command, request, overlay, now)
        if isinstance(command, HandOver):
            return self._handovers.run(command, request, overlay, now)
        if isinstance(command, RecordRules):
            return self._rules(command, request, overlay, now)
        if isinstance(command, Tick):
            return self._tick(command, overlay, now)
        if isinstance(command, PassOn):
            around = self._around(HUB, overlay, now)
            return pass_on(command, self._recorder, self._woken, around, overlay)
        if isinstance(command, Link | Unlink):
            return self._link(command, request, overlay, now)
        if isinstance(command, ThreadCommand):
            return self._threads.run(command, request, overlay, now)
        if isinstance(command, ErasureCommand):
            return self._erasures.run(command, request, overlay, now)
        return self._case(command, request, overlay, now)

    def _submit(self, command: SubmitComplaint, request: Request, overlay: Overlay, now: str) -> Outcome:
        if request.reference in overlay.references:
            return self._repeated(request, overlay)
        source = command.clear["source"]["agency"]
        check_addressed(command.clear.get("addressed_to") or (), source, overlay.agencies.get)
        require_files(request, overlay)
        if request.intake is None:
            raise TypeError("a SubmitComplaint needs its Intake")
        key = request.intake.key
        staged = self._recorder.staged(command.case_id, None, overlay, key)
        if isinstance(command, TakeOver):
            drafts = take_over(command, now)
        else:
            drafts = [(now, draft) for draft in submit(command)]
        for at, draft in drafts:
            self._recorder.record(staged, [draft], By(source, at, request.principal.officer), overlay)
        self._recorder.hold_files(staged, request, overlay)
        overlay.adopt(staged, new=True)
        return Outcome(201, "case", (command.case_id,), case=staged.case)

    def _repeated(self, request: Request, overlay: Overlay) -> Outcome:
        """The same reference again: the same case if the content is the same (`POST /v1/complaints`)."""
        reference = overlay.references[request.reference or ("", "")]
        case, intake = overlay.cases[reference.case_id], request.intake
        known = {"case_id": case.state.id}
        key = self._recorder.key(case.state.id, overlay)
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
        check_agencies(command, case, actor, overlay)  # 422 comes before 412
        require_files(request, overlay)
        if part is not None and sees_it_frozen(request.principal, case):  # before 412: that tells the version
            raise ended_leg(case.state, part, actor, command.action)
        require_version(request.if_match, case)
        if is_due(case.state, now):
            case = self._woken(case, overlay, now)
            allow(request.principal, command.action, case, part)  # it may have passed to another owner
        staged = self._recorder.staged(case.state.id, case, overlay)
        command, kinds = self._words.masked(request, command, [case.state], overlay)
        drafts = decide(command, case, self._around(actor, overlay, now))
        self._recorder.record(staged, drafts, request.by(now), overlay)
        self._recorder.hold_files(staged, request, overlay)
        overlay.adopt(staged)
        status, kind, named = named_in(command, part)
        return Outcome(status, kind, (case.state.id, *named), case=staged.case, masked=kinds)

    def _link(self, command: Link | Unlink, request: Request, overlay: Overlay, now: str) -> Outcome:
        """Both cases change; whoever links them must see both as they stand. Either side undoes it."""
        case, other = there(overlay.cases.get(command.case_id)), overlay.cases.get(command.other_id)
        actor = request.principal.agency
        allow(request.principal, command.action, case)
        around = self._around(actor, overlay, now)
        if isinstance(command, Unlink) and (other is None or case.state.link_to(command.other_id) is None):
            raise conflict(case.state, "The cases are not linked.", around)
        if other is None or (isinstance(command, Link) and not takes_part(other.state, actor)):
            unseen = f"There is no case {command.other_id}, or your agency takes no part in it."
            raise Invalid("The other case is not there.", flaws=[("/case", unseen)])
        require_version(request.if_match, case)
        pair = [self._woken(each, overlay, now) for each in (case, other)]
        allow(request.principal, command.action, pair[0])
        states = pair[0].state, pair[1].state
        if isinstance(command, Link):
            made = link(*states, command.relation, around)
        else:
            made = unlink(*states, around)
        sides = [self._recorder.staged(each.state.id, each, overlay) for each in pair]
        for staged, draft in zip(sides, made, strict=True):
            self._recorder.record(staged, [draft], request.by(now), overlay)
        for staged in sides:
            overlay.adopt(staged)
        return Outcome(200, "case", (case.state.id,), case=overlay.cases[case.state.id])

    def _tick(self, command: Tick, overlay: Overlay, now: str) -> Outcome:
        known = there(overlay.cases.get(command.case_id))
        case = self._woken(known, overlay, now)
        return Outcome(200, "case", (case.state.id,), case=case, replayed=case is known)

    def _woken(self, case: Case, overlay: Overlay, now: str) -> Case:
        """The case after whatever the passing of time has made of it, before anything else happens to it: an
        answer that comes late finds its deadline missed. It is adopted by itself, since it is so whatever
        becomes of the command that found it."""
        staged = self._recorder.staged(case.state.id, case, overlay)
        while is_due(case.state, now):
            drafts = decide(Tick(case.state.id), case, self._around(HUB, overlay, now))
            if not drafts:
                break
            self._recorder.record(staged, drafts, By(HUB, now), overlay)
            case = there(staged.case)
        if staged.events:
            overlay.adopt(staged)
        return case

    def _around(self, actor: str, overlay: Overlay, now: str) -> Around:
        """Agencies that the command names were loaded in the transaction; those above them are as the
        registry had them when the batch began."""

        def find(name: str) -> Agency | None:
            return overlay.agencies.get(name) or self._rulebook.agencies.get(name)

        return Around(actor, find, now, self._limits)

    def _rules(self, command: RecordRules, request: Request, overlay: Overlay, now: str) -> Outcome:
        """The stream is locked: what another process has recorded meanwhile is read first."""
        allow_without_case(request.principal, "register")
        self._rulebook.read_again()
        drafts, stream = record(self._rulebook, command), agency_stream(HUB)
        if drafts:
            staged = self._recorder.staged(stream, None, overlay)
            self._recorder.record(staged, drafts, By(HUB, now), overlay)
            overlay.adopt(staged)
        return Outcome(200, "rules", (HUB,))

    def _agency(
        self, command: RegisterAgency | ChangeAgency, request: Request, overlay: Overlay, now: str
    ) -> Outcome:
        allow_without_case(request.principal, "register")
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
            drafts = {agency_stream(agency.id): [draft]}
            if sets_calendar(command):  # the hub's stream is locked too
                self._rulebook.read_again()
                if (calendar := self._rulebook.unknown_calendar(agency)) is not None:
                    drafts.setdefault(agency_stream(HUB), []).append(own_calendar(agency, calendar))
            streams = {name: self._recorder.staged(name, None, overlay) for name in drafts}
            for name, made in drafts.items():
                self._recorder.record(streams[name], made, request.by(now), overlay)
            for staged in streams.values():
                overlay.adopt(staged)
        return Outcome(status, "agency", (agency.id,), agency=agency)


def _replay(request: Request, overlay: Overlay) -> Outcome | None:
    if request.idempotency is None:
        return None
    row = overlay.remembered.get(request.idempotency.key)
    if row is None:
        return None
    require_same_body(row, request.idempotency)
    case = overlay.cases.get(row.ids[0]) if row.kind != "agency" else None
    return Outcome(row.status, row.kind, row.ids, case=case, replayed=True)


def _require_active(agency: Agency | None, request: Request) -> None:
    if request.principal.client_id not in (OPERATOR, CLOCK) and (agency is None or not agency.active):
        raise Forbidden(
            f"The agency {request.principal.agency} is not active; ask the hub's administrator.",
            code="agency-inactive",
        )
