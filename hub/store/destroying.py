"""What an erasure destroys in the tables. The case's and the threads' own rows are written anew without words
by the same transaction; this is the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from hub.domain.events import is_thread_stream, thread_of
from hub.domain.threads.audience import only_for
from hub.domain.threads.thread import MessageState
from hub.store.generation import next_generation

PURGE_WAITS: Final = "purge_waits"
"""The fact that the disk must be purged; its value is the log's last position when that became so."""

KEYS: Final = "DELETE FROM stream_keys WHERE stream = ?"
IDENTITY: Final = "DELETE FROM identities WHERE case_id = ?"
UPLOADS: Final = (
    "UPDATE files SET wrapped = NULL, generation = NULL WHERE wrapped IS NOT NULL "
    "AND sha256 IN (SELECT h.sha256 FROM file_holders AS h WHERE h.stream = ?) "
    "AND NOT EXISTS (SELECT 1 FROM file_holders AS o JOIN stream_keys AS k ON k.stream = o.stream "
    "WHERE o.sha256 = files.sha256)"
)
"""Within a day of the upload its agency holds the file too; not if what named it is all erased."""
HOLDERS: Final = "UPDATE file_holders SET wrapped = ? WHERE stream = ?"
"""That the file was named stays, so that its answer is 410; its key does not."""
MESSAGES: Final = "UPDATE messages SET texts = NULL WHERE thread_id = ? AND texts IS NOT NULL"
MESSAGE: Final = "UPDATE messages SET texts = NULL WHERE id = ?"
WORDED: Final = "SELECT state FROM messages WHERE thread_id = ? AND texts IS NOT NULL"
CASE: Final = "SELECT state FROM cases WHERE id = ?"
NOTE: Final = (
    "INSERT INTO facts (name, value) SELECT ?, CAST(coalesce(max(position), 0) AS TEXT) FROM log WHERE true "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)

PURGE_SINCE: Final = "SELECT value FROM facts WHERE name = ?"
PURGE_DONE: Final = "DELETE FROM facts WHERE name = ? AND value = ?"
"""With the value that was read before the purge began: an erasure meanwhile has another."""


def destroy(connection: Any, streams: Sequence[str]) -> None:
    """Within the open transaction, after the rows that it writes. `streams`: cases and threads. The
    registry's generation rises, so that every process knows at the commit that what it opened before is to be
    read again before it is sent."""
    for stream in streams:
        connection.execute(KEYS, (stream,))
    for stream in streams:
        connection.execute(IDENTITY, (stream,))
        connection.execute(UPLOADS, (stream,))
        connection.execute(HOLDERS, (b"", stream))
        if is_thread_stream(stream):
            connection.execute(MESSAGES, (thread_of(stream),))
        else:
            _messages_to_reporter(connection, stream)
    connection.execute(NOTE, (PURGE_WAITS,))
    next_generation(connection)


def _messages_to_reporter(connection: Any, case_id: str) -> None:
    """What was meant for this case's reporter alone goes from the threads that other cases keep. In the log
    it stays sealed under the thread's key, which those need; nobody is shown it (`hub.service.rendered`)."""
    known: dict[str, dict[str, Any]] = {case_id: _state_of(connection, case_id)}
    for room in known[case_id].get("rooms", ()):
        for (document,) in connection.execute(WORDED, (room["thread"],)).fetchall():
            message = MessageState.from_document(orjson.loads(document))
            if case_id not in message.cases:
                continue
            for each in message.cases:
                known[each] = known.get(each) or _state_of(connection, each)
            if only_for(message, {name for name, state in known.items() if state.get("erased")}):
                connection.execute(MESSAGE, (message.id,))


def _state_of(connection: Any, case_id: str) -> dict[str, Any]:
    row = connection.execute(CASE, (case_id,)).fetchone()
    state: dict[str, Any] = orjson.loads(row[0]) if row else {}
    return state
