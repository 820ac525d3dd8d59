"""One handover over the overlay: each case, then each thread, then the sum of it. It is decided on a copy,
which becomes the batch's state only when all of it is done: many streams change, or none."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from auth.policy import role_sentence
from auth.principal import Principal
from auth.roles import Role
from hub.domain.agency import HUB
from hub.domain.audience import recipients
from hub.domain.case import Case
from hub.domain.events import HANDED_OVER, By, Draft, Fact, agency_stream, fact_of
from hub.domain.handover import (
    MOST_LISTED,
    HandOver,
    case_facts,
    check_successor,
    due_of,
    handed_over,
    summary_draft,
    work_of,
)
from hub.domain.handover_legs import settled
from hub.domain.threads.succession import agency_drafts, is_concerned, officer_drafts
from hub.domain.threads.thread import Thread
from hub.errors import Forbidden, Invalid, NotFound
from hub.ports.handovers import Departed
from hub.ports.sealing import Sealing
from hub.service.ids import Ids
from hub.service.overlay import Overlay, Staged
from hub.service.requests import Outcome, Request
from hub.service.rights import WRONG_ROLE, allow_without_case, there
from hub.service.staging import Recorder
from hub.service.thread_deciding import ThreadDecider

Woken = Callable[[Case, Overlay, str], Case]
NO_EVENT: Final = "0"
"""Stands for the sequence of the event that sums the handover up, where nothing passed on."""


@dataclass(slots=True)
class Passed:
    """What has passed on so far."""

    cases: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    owned: int = 0
    forwardings: int = 0
    consultations: int = 0
    commitments: list[dict[str, Any]] = field(default_factory=list)
    due: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """As `agency.handed_over` carries it: everything by its id, the earliest deadlines and promises."""
        counts = {
            "cases": len(self.cases),
            "owned": self.owned,
            "forwardings": self.forwardings,
            "consultations": self.consultations,
            "threads": len(self.threads),
            "commitments": len(self.commitments),
        }
        return {
            "counts": counts,
            "cases": self.cases,
            "threads": self.threads,
            "due": _earliest(self.due),
            "commitments": _earliest(self.commitments),
        }


class HandoverDecider:
    """A part of `Decider`, with the same manners."""

    def __init__(
        self, sealing: Sealing, ids: Ids, recorder: Recorder, threads: ThreadDecider, woken: Woken
    ) -> None:
        self._sealing = sealing
        self._ids = ids
        self._recorder = recorder
        self._threads = threads
        self._woken = woken

    def run(self, command: HandOver, request: Request, overlay: Overlay, now: str) -> Outcome:
        """200, with the ids of both agencies and the sequence of the event that sums it up."""
        require_handover(request.principal, command.agency)
        _check(command, overlay)
        work, passed, by = _copied(overlay), Passed(), request.by(now)
        stream = agency_stream(command.agency)
        staged = Staged(stream, work.head(stream), key=self._recorder.key(stream, work))
        if not command.officers:
            for name in command.cases:
                self._case(command, name, passed, staged, by, work)
        work.adopt(staged)
        for name in command.threads:
            self._thread(command, name, passed, by, work)
        staged = Staged(stream, work.head(stream), key=staged.key)
        sequence = NO_EVENT
        if passed.cases or passed.threads:
            self._sum(command, passed, staged, by, work)
            work.adopt(staged)
            sequence = str(staged.head.sequence)
        if command.departed:
            work.departed.append(Departed(command.officers[0].id, command.agency, now))
        _become(overlay, work)
        return Outcome(200, "handover", (command.agency, command.to, sequence))

    def _case(
        self,
        command: HandOver,
        name: str,
        passed: Passed,
        staged: Staged,
        by: By,
        work: Overlay,
    ) -> None:
        """What the agency holds of the case by now: a missed deadline may just have passed it on."""
        known = work.cases.get(name)
        if known is None or not work_of(known.state, command.agency):
            return
        case = self._woken(known, work, by.at)
        if not work_of(case.state, command.agency):
            return
        before = case.state
        case = self._settled(command, case, by, work)
        held = work_of(case.state, command.agency)
        draft = Draft(HANDED_OVER, case_facts(case.state, held, command))
        fact = self._fact(draft, staged, by)
        after = Case(handed_over(case.state, fact), case.texts)
        told = {command.agency: "former"} | recipients(case.state, after.state, by.agency)
        fact = replace(fact, recipients=dict(sorted(told.items())))
        self._recorder.append(staged, fact, draft, work)
        work.cases[name] = after
        work.changed_cases.add(name)
        passed.cases.append(name)
        passed.owned += held.owner
        anew = [leg.id for leg in case.state.open_legs() if before.leg(leg.id) is None]
        taken = replace(held, legs=(*held.legs, *anew))
        passed.forwardings += len(taken.legs)
        passed.consultations += len(taken.consultations)
        passed.due += due_of(after.state, taken, command.to)

    def _settled(self, command: HandOver, case: Case, by: By, work: Overlay) -> Case:
        """The case once its forwardings can pass on: what cannot has ended by events of its own."""
        staged = self._recorder.staged(case.state.id, case, work)
        while drafts := settled(case, command, self._ids.new()):
            self._recorder.record(staged, drafts, by, work)
            case = there(staged.case)
        if staged.events:
            work.adopt(staged)
        return case

    def _thread(self, command: HandOver, name: str, passed: Passed, by: By, work: Overlay) -> None:
        known = work.threads.get(name)
        if known is None or not is_concerned(known, command.agency):
            return
        thread = self._threads.woken(known, work, by.at)
        if command.officers:
            drafts = officer_drafts(thread, command.agency, *command.officers)
        else:
            drafts = agency_drafts(thread, command.agency, command.to)
        if not drafts:
            return
        after = thread
        for draft in drafts:
            after = self._threads.record(after, draft, by, work)
        moved = {draft.facts["commitment"]["id"] for draft in drafts if "commitment" in draft.facts}
        passed.threads.append(name)
        passed.commitments += [_promise(after, each) for each in sorted(moved)]

    def _sum(self, command: HandOver, passed: Passed, staged: Staged, by: By, work: Overlay) -> None:
        draft = summary_draft(command, passed.summary())
        if draft.texts and staged.key is None:
            staged.key = self._sealing.new_stream_key(agency_stream(command.agency))
            work.new_keys.append(staged.key)
        told = dict.fromkeys(sorted({command.agency, command.to, HUB}), "agency")
        fact = replace(self._fact(draft, staged, by), recipients=told)
        self._recorder.append(staged, fact, draft, work)

    def _fact(self, draft: Draft, staged: Staged, by: By) -> Fact:
        return fact_of(draft, self._ids.new(), staged.stream, staged.head.sequence + 1, by)


def require_handover(principal: Principal, agency: str) -> None:
    """403 but for who looks after the hub, and an administrator of that very agency."""
    allow_without_case(principal, "handover")
    if principal.role is Role.ADMINISTRATOR and principal.agency != agency:
        raise Forbidden(role_sentence(principal.role, "handover of another agency"), code=WRONG_ROLE)


def _check(command: HandOver, overlay: Overlay) -> None:
    """What the request was judged by, on the state that the transaction loaded."""
    if command.agency not in overlay.agencies:
        raise NotFound(f"No agency {command.agency!r} is registered.")
    if not command.officers:
        check_successor(command.agency, overlay.agencies.get(command.to), command.to)
    elif overlay.officers.get(command.officers[1].id) != command.agency:
        detail = f"There is no active account {command.officers[1].id!r} in {command.agency}."
        raise Invalid("This officer cannot take the work on.", flaws=[("/to_officer", detail)])


def _promise(thread: Thread, commitment_id: str) -> dict[str, Any]:
    """What is owed and to whom, without its words: those are in the thread."""
    state = thread.state
    found = state.commitment(commitment_id)
    assert found is not None, "a commitment that was just recorded"
    return {
        "id": found.id,
        "thread_id": state.id,
        "due_on": found.due_on,
        "due_at": found.due_at,
        "status": found.status,
        "made_by": found.made_by,
        "promised_to": [name for name in state.present() if name != found.agency],
    }


def _earliest(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda each: (each["due_at"], each.get("id", ""), each.get("subject", "")))[
        :MOST_LISTED
    ]


def _copied(overlay: Overlay) -> Overlay:
    made = copy(overlay)
    for each in fields(overlay):
        setattr(made, each.name, copy(getattr(overlay, each.name)))
    return made


def _become(overlay: Overlay, work: Overlay) -> None:
    for each in fields(overlay):
        setattr(overlay, each.name, getattr(work, each.name))
