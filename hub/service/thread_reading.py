"""What agencies may read of coordination threads: one, a list, its messages, its commitments. Rights first;
who left reads what stood then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from auth.principal import Principal
from hub.domain.audience import takes_part
from hub.domain.events import thread_stream
from hub.domain.privacy import mask_all
from hub.domain.threads.audience import sees_commitment
from hub.domain.threads.commitments import require_concerned
from hub.domain.threads.evolution import MESSAGE_EVENTS, evolve_thread
from hub.domain.threads.messages import require_own
from hub.domain.threads.thread import Message, Thread
from hub.domain.threads.views import commitment_view, message_view, thread_view
from hub.errors import NotFound
from hub.ports.clock import Clock, rfc3339
from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession
from hub.ports.threads import ReadMarks, Span
from hub.service.identities import own_values_of
from hub.service.readers import Readers
from hub.service.rendered import Rendering
from hub.service.rights import require_scope
from hub.service.thread_rights import (
    NO_COMMITMENT,
    NO_MESSAGE,
    in_thread,
    is_repeated,
    known_commitment,
    readable,
    spans_of,
    writable,
)
from hub.service.writer import Writer

READS: Final = "cases:read"
MOST_UNREAD: Final = 1000
"""Counting stops there."""
HISTORY_PAGE: Final = 1000
View = dict[str, Any]


@dataclass(slots=True)
class ThreadReading:
    readers: Readers
    writer: Writer
    sealing: Sealing
    rendering: Rendering
    marks: ReadMarks
    clock: Clock

    # --- what is there -----------------------------------------------------------------------------------

    async def thread(self, principal: Principal, thread_id: str) -> View:
        """The `thread` of `GET /v1/threads/{id}`, as the caller may see it; 404 for who never took part."""
        require_scope(principal, READS)
        return await self.readers.run(lambda session: self._view(session, principal, thread_id))

    async def threads(
        self, principal: Principal, case_id: str | None, before: str | None, limit: int
    ) -> tuple[list[View], str | None]:
        """A page of the caller's threads, newest first, of one case or of all; and the id to go on before."""

        def look(session: ReadSession) -> tuple[list[View], str | None]:
            if case_id is None:
                found = session.threads_of(principal.agency, before, limit + 1)
            else:
                found = _of_case(session, principal.agency, case_id, before)
            page = found[:limit]
            views = [self._view(session, principal, each.state.id) for each in page]
            return views, page[-1].state.id if len(found) > limit else None

        require_scope(principal, READS)
        return await self.readers.run(look)

    async def messages(
        self, principal: Principal, thread_id: str, after: int | None, limit: int, *, newest_first: bool
    ) -> tuple[list[View], int | None]:
        """A page of the messages that the caller may read, and the sequence to go on from (None at the end).
        `after` is the sequence of the last one of the page before."""

        def look(session: ReadSession) -> tuple[list[View], int | None]:
            thread, agency = in_thread(session.thread(thread_id), principal.agency), principal.agency
            found: list[Message] = []
            for span in spans_of(thread, agency, after, newest_first=newest_first):
                more = limit + 1 - len(found)
                found += session.messages(thread_id, agency, span, more, newest_first=newest_first)
                if len(found) > limit:
                    break
            items = [message_view(each, thread.state, agency) for each in found[:limit]]
            return items, found[limit - 1].state.sequence if len(found) > limit else None

        require_scope(principal, READS)
        return await self.readers.run(look)

    async def message(self, principal: Principal, thread_id: str, message_id: str) -> View:
        def look(session: ReadSession) -> View:
            thread = in_thread(session.thread(thread_id), principal.agency)
            message = readable(session.message(message_id), thread, principal.agency)
            return message_view(message, thread.state, principal.agency)

        return await self.readers.run(look)

    async def commitment(self, principal: Principal, thread_id: str, commitment_id: str) -> View:
        def look(session: ReadSession) -> View:
            thread = in_thread(session.thread(thread_id), principal.agency)
            return _commitment(thread, commitment_id, principal.agency)

        return await self.readers.run(look)

    async def commitments(
        self,
        principal: Principal,
        agency: str | None,
        status: str | None,
        after: tuple[str, str] | None,
        limit: int,
    ) -> tuple[list[View], tuple[str, str] | None]:
        """Who owes what in the caller's threads, what is due first standing first."""

        def look(session: ReadSession) -> tuple[list[View], tuple[str, str] | None]:
            found: list[tuple[tuple[str, str], View]] = []
            place, more = after, True
            while more and len(found) <= limit:
                rows = session.owed(principal.agency, agency, status, place, limit + 1)
                found += _owed(session, rows, principal.agency)
                more, place = len(rows) > limit, rows[-1][:2] if rows else None
            last = found[limit - 1][0] if len(found) > limit else None
            return [view for _, view in found[:limit]], last

        require_scope(principal, READS)
        return await self.readers.run(look)

    # --- rights, before a body is judged ------------------------------------------------------------------

    async def check(self, principal: Principal, thread_id: str, key: bytes | None = None) -> Thread:
        """The thread, for who may write in it: 404, 403. What passes is decided again in the transaction.
        What took effect before under `key` is answered again, though the agency has left since."""

        def look(session: ReadSession) -> Thread:
            thread = in_thread(session.thread(thread_id), principal.agency)
            return thread if is_repeated(session, key) else writable(thread, principal)

        return await self.readers.run(look)

    async def thread_of_message(
        self, principal: Principal, message_id: str, key: bytes | None = None
    ) -> Thread:
        """The thread of a message that the caller may read, if it may change it: 404, 403."""

        def look(session: ReadSession) -> Thread:
            found = session.message(message_id)
            thread = session.thread(found.state.thread_id) if found else None
            if thread is None or thread.state.participant(principal.agency) is None:
                raise NotFound(NO_MESSAGE)
            message = readable(found, thread, principal.agency)
            if not is_repeated(session, key):
                writable(thread, principal)
                require_own(message.state, principal.agency)
            return thread

        return await self.readers.run(look)

    async def thread_of_commitment(
        self, principal: Principal, commitment_id: str, key: bytes | None = None
    ) -> Thread:
        """The same for a commitment."""

        def look(session: ReadSession) -> Thread:
            thread_id = session.thread_of_commitment(commitment_id)
            thread = session.thread(thread_id) if thread_id else None
            if thread is None or thread.state.participant(principal.agency) is None:
                raise NotFound(NO_COMMITMENT)
            known = known_commitment(thread, commitment_id, principal.agency)
            if not is_repeated(session, key):
                writable(thread, principal)
                require_concerned(known, principal.agency)
            return thread

        return await self.readers.run(look)

    async def masked(
        self, principal: Principal, case_ids: Sequence[str], texts: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """What officers write, masked on entry as on a case: NIK, phones, e-mails, and whatever would name a
        reporter of any of the cases. With the kinds of what was masked."""

        return await self.readers.run(
            lambda session: self._masked(session, principal.agency, case_ids, texts)
        )

    async def masked_in(
        self, principal: Principal, thread_id: str, texts: Sequence[str], key: bytes | None = None
    ) -> tuple[list[str], list[str]]:
        """The same for who may write in the thread (`check`), in one look."""

        def look(session: ReadSession) -> tuple[list[str], list[str]]:
            thread = in_thread(session.thread(thread_id), principal.agency)
            if not is_repeated(session, key):
                writable(thread, principal)
            return self._masked(session, principal.agency, thread.state.cases, texts)

        return await self.readers.run(look)

    # --- what was read ------------------------------------------------------------------------------------

    async def mark(self, principal: Principal, thread_id: str, up_to: str) -> View:
        """Read up to that message, by the caller's officer or its system; never backwards."""

        def look(session: ReadSession) -> int:
            thread = in_thread(session.thread(thread_id), principal.agency)
            found = session.message(up_to)
            if found is not None and found.state.thread_id != thread_id:
                found = None
            return readable(found, thread, principal.agency).state.sequence

        require_scope(principal, READS)
        sequence, now = await self.readers.run(look), rfc3339(self.clock.now())
        reader = principal.officer or ""
        await self.writer.run(
            lambda: self.marks.mark_read(thread_id, principal.agency, reader, sequence, now)
        )
        return await self.thread(principal, thread_id)

    def _masked(
        self, session: ReadSession, agency: str, case_ids: Sequence[str], texts: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """No identity is opened of a case that the agency does not see."""
        cases = [case for name in case_ids if (case := session.case(name)) is not None]
        seen = [case.state for case in cases if takes_part(case.state, agency)]
        own = [value for state in seen for value in own_values_of(session, self.sealing, state)]
        return mask_all(texts, own)

    # --- pieces -------------------------------------------------------------------------------------------

    def _view(self, session: ReadSession, principal: Principal, thread_id: str) -> View:
        thread, agency = in_thread(session.thread(thread_id), principal.agency), principal.agency
        mark = session.read_mark(thread_id, agency, principal.officer or "")
        unread, last = 0, None
        for span in spans_of(thread, agency, None, newest_first=True):
            if last is None and (latest := session.messages(thread_id, agency, span, 1, newest_first=True)):
                last = latest[0].state.posted_at
            unseen = Span(max(span.after, mark), span.until)
            unread += session.count_messages(thread_id, agency, unseen, MOST_UNREAD - unread)
        shown = thread if thread.state.has(agency) else self._as_it_stood(session, thread, agency)
        return thread_view(shown, agency, unread, last)

    def _as_it_stood(self, session: ReadSession, thread: Thread, agency: str) -> Thread:
        """For who left: the thread after the event by which it left, folded from its events."""
        found = thread.state.participant(agency)
        until = found.stays[-1].until if found else None
        stream = thread_stream(thread.state.id)
        key, opener = session.keys([stream]).get(stream), self.rendering.opener()
        then: Thread | None = None
        sequence = 0
        while events := session.stream(stream, sequence, HISTORY_PAGE):
            for event in events:
                sequence = event.sequence
                if until is None or sequence > until:
                    return then or thread
                fact = event.fact()
                words: dict[str, Any] | None = {}
                if fact.type not in MESSAGE_EVENTS:
                    words = self.rendering.words(event, fact, key, opener)
                then = evolve_thread(then, fact, words)
        return then or thread


def _commitment(thread: Thread, commitment_id: str, agency: str) -> View:
    known = known_commitment(thread, commitment_id, agency)
    texts = None if thread.texts is None else thread.texts.commitments.get(commitment_id)
    return commitment_view(known, thread.state.id, texts)


def _owed(
    session: ReadSession, rows: Sequence[tuple[str, str, str]], agency: str
) -> Iterator[tuple[tuple[str, str], View]]:
    """Those that the agency may know of, each with its place in the list: no cursor names another."""
    named = session.threads_named(sorted({thread_id for _, _, thread_id in rows}))
    for due_at, commitment_id, thread_id in rows:
        thread = named[thread_id]
        known = thread.state.commitment(commitment_id)
        if known is not None and sees_commitment(thread.state, known, agency):
            yield (due_at, commitment_id), _commitment(thread, commitment_id, agency)


def _of_case(session: ReadSession, agency: str, case_id: str, before: str | None) -> list[Thread]:
    """The agency's threads about a case, newest first. A case has few."""
    case = session.case(case_id)
    named = [room.thread for room in case.state.rooms] if case else []
    threads = session.threads_named([name for name in named if before is None or name < before])
    mine = [each for each in threads.values() if each.state.participant(agency) is not None]
    return sorted(mine, key=lambda each: each.state.id, reverse=True)
