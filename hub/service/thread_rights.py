"""Rights in a thread, decided on what was loaded: 404 for who may not know of it, 403 for who may not
write."""

from __future__ import annotations

from typing import Final

from auth.principal import Principal
from hub.domain.threads.audience import sees_commitment, sees_message
from hub.domain.threads.thread import Commitment, Message, Thread
from hub.errors import NoSuchThread, NotFound
from hub.ports.store import ReadSession
from hub.ports.threads import Span
from hub.service.rights import require_scope
from hub.service.thread_deciding import SCOPE, taking_part

NO_MESSAGE: Final = "There is no such message, or your agency may not read it."
NO_COMMITMENT: Final = "There is no such commitment, or your agency takes no part in its thread."


def in_thread(thread: Thread | None, agency: str) -> Thread:
    """The thread, for an agency that takes or took part; else 404."""
    if thread is None or thread.state.participant(agency) is None:
        raise NoSuchThread
    return thread


def writable(thread: Thread | None, principal: Principal) -> Thread:
    found = taking_part(thread, principal.agency)
    require_scope(principal, SCOPE)
    return found


def is_repeated(session: ReadSession, key: bytes | None) -> bool:
    return key is not None and session.remembered(key) is not None


def readable(message: Message | None, thread: Thread, agency: str) -> Message:
    if message is None or not sees_message(thread.state, message.state, agency):
        raise NotFound(NO_MESSAGE)
    return message


def known_commitment(thread: Thread, commitment_id: str, agency: str) -> Commitment:
    known = thread.state.commitment(commitment_id)
    if known is None or not sees_commitment(thread.state, known, agency):
        raise NotFound(NO_COMMITMENT)
    return known


def spans_of(thread: Thread, agency: str, after: int | None, *, newest_first: bool) -> list[Span]:
    """The stretches of the thread that the agency may read, without overlap, in the order of reading, from
    `after` on."""
    found = thread.state.participant(agency)
    spans: list[Span] = []
    for stay in sorted(found.stays if found else (), key=lambda each: each.after):
        begun = max([stay.after, *(span.until or 0 for span in spans)])
        if spans and spans[-1].until is None:
            break
        if stay.until is None or stay.until > begun:
            spans.append(Span(begun, stay.until))
    if after is not None and newest_first:
        spans = [
            Span(span.after, after - 1 if span.until is None else min(span.until, after - 1))
            for span in spans
            if span.after < after - 1
        ]
    elif after is not None:
        spans = [Span(max(span.after, after), span.until) for span in spans
                 if span.until is None or span.until > after]  # fmt: skip
    return spans[::-1] if newest_first else spans
