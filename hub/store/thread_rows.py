"""A thread and its messages as table rows, made from their final state alone, as a case's are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from hub.domain.threads.thread import (
    INTERNAL,
    Message,
    MessageState,
    MessageTexts,
    Thread,
    ThreadState,
    ThreadTexts,
)

Row = tuple[Any, ...]


def thread_row(thread: Thread) -> Row:
    state, texts = thread.state, thread.texts
    words = None if texts is None else orjson.dumps(texts)
    return state.id, state.status, orjson.dumps(state), words, state.next_wake()


def thread_from_row(state: bytes, texts: bytes | None) -> Thread:
    words = None if texts is None else ThreadTexts.from_document(orjson.loads(texts))
    return Thread(ThreadState.from_document(orjson.loads(state)), words)


def thread_agency_rows(threads: Iterable[Thread]) -> Iterator[Row]:
    for thread in threads:
        for each in thread.state.participants:
            yield each.agency, thread.state.id, each.is_present


def commitment_rows(threads: Iterable[Thread]) -> Iterator[Row]:
    for thread in threads:
        for each in thread.state.commitments:
            yield each.id, thread.state.id, each.agency, each.status, each.due_at


def message_row(message: Message) -> Row:
    state, texts = message.state, message.texts
    words = None if texts is None else orjson.dumps(texts)
    return (
        state.thread_id,
        state.sequence,
        state.id,
        state.author,
        state.scope == INTERNAL,
        orjson.dumps(state),
        words,
    )


def message_from_row(state: bytes, texts: bytes | None) -> Message:
    words = None if texts is None else MessageTexts(**orjson.loads(texts))
    return Message(MessageState.from_document(orjson.loads(state)), words)


def message_file_rows(messages: Iterable[Message]) -> Iterator[Row]:
    for message in messages:
        for sha256 in dict.fromkeys(file["sha256"] for file in message.state.attachments):
            yield message.state.thread_id, sha256, message.state.id
