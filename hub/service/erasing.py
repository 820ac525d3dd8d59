"""Erasing a case over the overlay: the event, and with it, in the same transaction, everything by which its
words or the reporter could be read again. A thread goes with the last of its cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.domain.case import Case
from hub.domain.commands import ConfirmErasure, Erase, EraseRetained
from hub.domain.decide import decide
from hub.domain.decisions import Around
from hub.domain.events import thread_stream
from hub.domain.retention import Beside, is_over
from hub.domain.threads.thread import Message, Thread
from hub.service.overlay import Overlay
from hub.service.requests import CLOCK, OPERATOR, Outcome, Request
from hub.service.rights import allow, require_version, sees_it_frozen, sight_of, there
from hub.service.rulebook import Rulebook
from hub.service.staging import Recorder


class ErasureDecider:
    """A part of `Decider`, with the same manners: nothing is adopted before everything is done."""

    def __init__(
        self,
        recorder: Recorder,
        woken: Callable[[Case, Overlay, str], Case],
        around: Callable[[str, Overlay, str], Around],
        rulebook: Rulebook,
    ) -> None:
        self._recorder = recorder
        self._woken = woken
        self._around = around
        self._rulebook = rulebook

    def run(self, command: Erase | ConfirmErasure, request: Request, overlay: Overlay, now: str) -> Outcome:
        """200 with the case, and nothing new where it was done before, or where retention is not over after
        all. Who works on the hub's own command line may erase any case."""
        case, actor = there(overlay.cases.get(command.case_id)), request.principal.agency
        self._allow(request, command.action, case)
        seen = sight_of(request.principal, case) if sees_it_frozen(request.principal, case) else None
        require_version(request.if_match, case, seen.until if seen else None)
        case = self._woken(case, overlay, now)
        self._allow(request, command.action, case)  # it may have passed to another owner
        around = self._around(actor, overlay, now)
        if isinstance(command, EraseRetained) and not self._is_over(case, around, overlay):
            return Outcome(200, "case", (case.state.id,), case=case, replayed=True)
        drafts = decide(command, case, around)
        if not drafts:
            return Outcome(200, "case", (case.state.id,), case=case, replayed=True)
        staged = self._recorder.staged(case.state.id, case, overlay)
        self._recorder.record(staged, drafts, request.by(now), overlay)
        overlay.adopt(staged)
        if isinstance(command, Erase):
            _destroy(overlay, case.state.id)
        return Outcome(200, "case", (case.state.id,), case=overlay.cases[case.state.id])

    def _allow(self, request: Request, action: str, case: Case) -> None:
        if request.principal.client_id not in (OPERATOR, CLOCK):
            allow(request.principal, action, case)

    def _is_over(self, case: Case, around: Around, overlay: Overlay) -> bool:
        named = [each.case for each in case.state.links]
        linked = {name: overlay.cases[name].state for name in named if name in overlay.cases}
        rooms = [room.thread for room in case.state.rooms]
        threads = {name: overlay.threads[name].state for name in rooms if name in overlay.threads}
        return is_over(case.state, Beside(linked, threads), self._rulebook.rows, around.limits, around.now)


def _destroy(overlay: Overlay, case_id: str) -> None:
    """After a case's erasure was adopted: nothing of this batch opens it any more, nor a thread all of whose
    cases are erased."""
    named = [room.thread for room in overlay.cases[case_id].state.rooms]
    rooms = [overlay.threads[name].state for name in named if name in overlay.threads]
    gone = {
        state.id: state for state in rooms if all(overlay.cases[each].state.erased for each in state.cases)
    }
    for name, state in gone.items():
        overlay.threads[name] = Thread(replace(state, erased=True), None)
        overlay.changed_threads.add(name)
    for name, message in overlay.messages.items():
        if message.state.thread_id in gone:
            overlay.messages[name] = Message(message.state, None)
    for stream in (case_id, *[thread_stream(name) for name in gone]):
        overlay.destroyed.append(stream)
        overlay.keys.pop(stream, None)
        overlay.wrapped.pop(stream, None)
    overlay.new_keys = [key for key in overlay.new_keys if key.stream not in overlay.destroyed]
