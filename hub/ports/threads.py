"""Port: what the service reads of coordination threads, and the marks of what was read. Part of the store's
read session and of its write transaction (`hub/ports/store.py`), whose guarantees hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.domain.threads.thread import Message, Thread


@dataclass(frozen=True, slots=True)
class Span:
    """Messages with a sequence above `after`, up to `until` (None: without end)."""

    after: int
    until: int | None


class ThreadReads(Protocol):
    """On the session's snapshot. `agency` is who reads: messages that are internal to another one are never
    given."""

    def thread(self, thread_id: str) -> Thread | None: ...

    def threads_named(self, thread_ids: Sequence[str]) -> dict[str, Thread]: ...

    def threads_of(self, agency: str, before: str | None, limit: int) -> list[Thread]:
        """Those in which the agency takes or took part, newest first; `before` is the id of the last one of
        the page before."""
        ...

    def message(self, message_id: str) -> Message | None:
        """Whatever its scope: the caller judges who may know of it."""
        ...

    def messages(
        self, thread_id: str, agency: str, span: Span, limit: int, *, newest_first: bool = False
    ) -> list[Message]:
        """A page of the span, in order of sequence."""
        ...

    def all_messages(self, thread_id: str) -> dict[str, Message]:
        """By id, whatever their scope: for evidence, which names each by its hash at least."""
        ...

    def messages_naming(self, thread_id: str, sha256: str) -> list[Message]:
        """Those that name the file, whatever their scope."""
        ...

    def count_messages(self, thread_id: str, agency: str, span: Span, most: int) -> int:
        """Of others than the agency itself, among the latest `most` of the span."""
        ...

    def read_mark(self, thread_id: str, agency: str, officer: str) -> int:
        """The sequence up to which they have read; 0 if nothing."""
        ...

    def thread_of_commitment(self, commitment_id: str) -> str | None: ...

    def owed(
        self, reader: str, agency: str | None, status: str | None, after: tuple[str, str] | None, limit: int
    ) -> list[tuple[str, str, str]]:
        """(due_at, commitment id, thread id) by due date, of the threads in which `reader` takes part now and
        that are not erased; of all who owe something, or of `agency`. `after` is the (due_at, id) of the last
        one before."""
        ...

    def threads_to_wake(self, until: str, limit: int) -> list[str]:
        """The ids of the threads with a commitment that is late by `until` (RFC 3339 in UTC, with
        milliseconds) and not recorded as missed, longest first."""
        ...


class ReadMarks(Protocol):
    """Written outside of commands, on the writer's thread."""

    def mark_read(self, thread_id: str, agency: str, officer: str, sequence: int, now: str) -> None:
        """Never backwards."""
        ...
