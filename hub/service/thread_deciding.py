"""One command about a coordination thread over the overlay: may the agency? what has time done meanwhile?
then the domain decides, and each draft becomes an event that moves the thread, its messages and, where the
participants change, its cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hub.domain.agency import HUB, Agency
from hub.domain.audience import takes_part
from hub.domain.case import Case
from hub.domain.events import By, Draft, Fact, fact_of, thread_stream
from hub.domain.threads.around import Around
from hub.domain.threads.audience import readers, readers_of_commitment, readers_of_message, sees_message
from hub.domain.threads.commands import (
    EditMessage,
    MakeCommitment,
    OpenThread,
    PostMessage,
    ThreadCommand,
    WakeThread,
    WithdrawMessage,
)
from hub.domain.threads.commitments import lapsed
from hub.domain.threads.decisions import decide
from hub.domain.threads.evolution import MESSAGE_EVENTS, evolve_message, evolve_thread
from hub.domain.threads.rooms import open_thread
from hub.domain.threads.sharing import SHARING, share
from hub.domain.threads.thread import Message, Thread
from hub.errors import Forbidden, NoSuchThread, NotFound, PreconditionFailed
from hub.ports.sealing import Sealing
from hub.service.ids import Ids
from hub.service.named import require_files
from hub.service.overlay import Overlay, Staged
from hub.service.requests import Outcome, Request
from hub.service.rights import require_scope
from hub.service.rulebook import InForce, Rulebook
from hub.service.staging import Recorder
from hub.service.words import OfficersWords

SCOPE: Final = "threads:write"


class ThreadDecider:
    """A part of `Decider`, with the same manners: nothing is adopted before everything is done."""

    def __init__(
        self, sealing: Sealing, ids: Ids, rulebook: Rulebook, recorder: Recorder, words: OfficersWords
    ) -> None:
        self._sealing = sealing
        self._ids = ids
        self._rulebook = rulebook
        self._recorder = recorder
        self._words = words

    def run(self, command: ThreadCommand, request: Request, overlay: Overlay, now: str) -> Outcome:
        if isinstance(command, WakeThread):
            return self._wake(command, overlay, now)
        if isinstance(command, OpenThread):
            require_scope(request.principal, SCOPE)
            return self._open(command, request, overlay, now)
        return self._act(command, request, overlay, now)

    def _open(self, command: OpenThread, request: Request, overlay: Overlay, now: str) -> Outcome:
        actor, stream = request.principal.agency, thread_stream(command.thread_id)
        cases = {name: overlay.cases[name] for name in command.cases if name in overlay.cases}
        drafts = open_thread(command, cases, self._around(actor, overlay, now))
        staged = Staged(stream, overlay.head(stream), key=self._sealing.new_stream_key(stream))
        self._record(staged, drafts, request.by(now), overlay)
        overlay.adopt(staged)
        if staged.key is not None:
            overlay.new_keys.append(staged.key)
        return Outcome(201, "thread", (command.thread_id,), thread=staged.thread)

    def _act(self, command: ThreadCommand, request: Request, overlay: Overlay, now: str) -> Outcome:
        actor = request.principal.agency
        thread = taking_part(overlay.threads.get(command.thread_id), actor)
        require_scope(request.principal, SCOPE)
        message = _named_message(command, thread, actor, overlay)
        require_files(request, overlay)
        _require_version(request, thread)
        thread = self.woken(thread, overlay, now)
        staged = self._staged(thread, overlay)
        cases = {name: overlay.cases[name] for name in thread.state.cases if name in overlay.cases}
        seen = [each.state for each in cases.values() if takes_part(each.state, actor)]
        command, kinds = self._words.masked(request, command, seen, overlay)
        sequence = staged.head.sequence + 1
        around = self._around(actor, overlay, now)
        drafts = decide(command, thread, message, cases, sequence, around)
        self._record(staged, drafts, request.by(now), overlay)
        self._recorder.hold_files(staged, request, overlay)
        overlay.adopt(staged)
        return replace(_outcome(command, staged), masked=kinds) if kinds else _outcome(command, staged)

    def _wake(self, command: WakeThread, overlay: Overlay, now: str) -> Outcome:
        known = overlay.threads.get(command.thread_id)
        if known is None:
            raise NoSuchThread
        thread = self.woken(known, overlay, now)
        return Outcome(200, "thread", (command.thread_id,), thread=thread, replayed=thread is known)

    def woken(self, thread: Thread, overlay: Overlay, now: str) -> Thread:
        """With the commitments that are late by now recorded as missed, before anything else happens: it is
        so whatever becomes of the command that found it."""
        wake = thread.state.next_wake()
        if wake is None or wake >= now or thread.texts is None:
            return thread
        staged = self._staged(thread, overlay)
        self._record(staged, lapsed(thread, now), By(HUB, now), overlay)
        overlay.adopt(staged)
        return staged.thread or thread

    def record(self, thread: Thread, draft: Draft, by: By, overlay: Overlay) -> Thread:
        """The thread after one event more, decided elsewhere and adopted here."""
        staged = self._staged(thread, overlay)
        self._record(staged, [draft], by, overlay)
        overlay.adopt(staged)
        return staged.thread or thread

    def _staged(self, thread: Thread, overlay: Overlay) -> Staged:
        stream = thread_stream(thread.state.id)
        return Staged(stream, overlay.head(stream), thread=thread, key=overlay.keys.get(stream))

    def _record(self, staged: Staged, drafts: list[Draft], by: By, overlay: Overlay) -> None:
        for draft in drafts:
            number = staged.head.sequence + 1
            fact = fact_of(draft, self._ids.new(), staged.stream, number, by)
            before, after = staged.thread, evolve_thread(staged.thread, fact, draft.texts)
            staged.thread = after
            fact = replace(fact, recipients=self._readers(staged, before, after, fact, draft, overlay))
            if fact.type in SHARING:
                staged.shared = [_shared(overlay.cases[name], fact) for name in after.state.cases]
            staged.room_changed |= fact.type not in MESSAGE_EVENTS
            self._recorder.append(staged, fact, draft, overlay)

    def _readers(
        self, staged: Staged, before: Thread | None, after: Thread, fact: Fact, draft: Draft, overlay: Overlay
    ) -> dict[str, str]:
        if fact.type in MESSAGE_EVENTS:
            message = evolve_message(overlay.messages.get(fact.data["message"]["id"]), fact, draft.texts)
            staged.messages.append(message)
            return readers_of_message(after.state, message.state)
        if fact.type.startswith("thread.commitment_"):
            made = after.state.commitment(fact.data["commitment"]["id"])
            return readers_of_commitment(after.state, made) if made else {}
        return readers(before.state if before else None, after.state)

    def _around(self, actor: str, overlay: Overlay, now: str) -> Around:
        def find(name: str) -> Agency | None:
            return overlay.agencies.get(name) or self._rulebook.agencies.get(name)

        rules = InForce(self._rulebook, overlay.agencies)
        return Around(actor, find, now, rules.calendar_of, overlay.officers.get)


def taking_part(thread: Thread | None, agency: str) -> Thread:
    """The thread, for an agency that takes part now; 404, or 403 for one that left."""
    if thread is None or thread.state.participant(agency) is None:
        raise NoSuchThread
    if not thread.state.has(agency):
        raise Forbidden("Your agency left this thread; it reads what stood then, and writes nothing.")
    return thread


def _require_version(request: Request, thread: Thread) -> None:
    now = thread.state.version
    if request.if_match is not None and request.if_match != now:
        raise PreconditionFailed(
            f"The thread is at version {now} now, not {request.if_match}; read it again.",
            extra={"version": now},
        )


def _named_message(command: ThreadCommand, thread: Thread, agency: str, overlay: Overlay) -> Message | None:
    if not isinstance(command, EditMessage | WithdrawMessage):
        return None
    message = overlay.messages.get(command.message_id)
    if message is None or not sees_message(thread.state, message.state, agency):
        raise NotFound("There is no such message, or your agency may not read it.")
    return message


def _shared(case: Case, fact: Fact) -> Case:
    return Case(share(case.state, fact), case.texts)


def _outcome(command: ThreadCommand, staged: Staged) -> Outcome:
    name = command.thread_id
    if isinstance(command, PostMessage | EditMessage | WithdrawMessage):
        status = 201 if isinstance(command, PostMessage) else 200
        (message,) = staged.messages
        return Outcome(status, "message", (name, message.state.id), thread=staged.thread, message=message)
    commitment_id = getattr(command, "commitment_id", None)
    if commitment_id is not None:
        status = 201 if isinstance(command, MakeCommitment) else 200
        return Outcome(status, "commitment", (name, commitment_id), thread=staged.thread)
    return Outcome(200, "thread", (name,), thread=staged.thread)
