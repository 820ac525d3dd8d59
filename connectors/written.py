"""Which answers are in the app: what tells two answers in the same words apart.

`already_written` gives a row for each time that its INSERT took effect. Two answers about which it asks with
the same values are told apart by number: so many of its rows belong to earlier answers. An answer that a
restored hub has lost counts no more, for the hub will bring it again as another event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.dialects.base import parameters_in
from connectors.spool import Spool, as_bytes


class Written:
    """The written table of the spool, by event and by question: a guard with the values that it asks for, as
    a keyed hash, for an answer's words are nobody's business once they are in the app."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def question(self, guard: str, parameters: Mapping[str, Any]) -> bytes:
        values = {name: parameters.get(name) for name in parameters_in(guard)}
        return self._spool.keyed_hash(as_bytes([guard, values]))

    def earlier(self, event_id: str, question: bytes) -> int:
        """How many other events with this question are in the app."""
        row = self._spool.connection.execute(
            "SELECT count(*) FROM written WHERE question = ? AND event_id <> ? AND done AND in_hub",
            (question, event_id),
        ).fetchone()
        return int(row[0])

    def expected(self, event_id: str, question: bytes) -> int | None:
        """The rows that were there when this event was first tried; None when it was not."""
        row = self._spool.connection.execute(
            "SELECT rows_before FROM written WHERE question = ? AND event_id = ?", (question, event_id)
        ).fetchone()
        return None if row is None else int(row[0])

    def expect(self, event_id: str, question: bytes, rows_before: int) -> None:
        """Before the first try: after a kill, one row more than these means that it took effect."""
        with self._spool.transaction() as connection:
            connection.execute(
                "INSERT INTO written (event_id, question, rows_before) VALUES (?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (event_id, question, rows_before),
            )

    def forget(self, event_id: str) -> None:
        """The database refused it: another answer may come first, and what is there is counted anew."""
        with self._spool.transaction() as connection:
            connection.execute("DELETE FROM written WHERE event_id = ? AND NOT done", (event_id,))

    def note(self, event_id: str, question: bytes) -> None:
        """It is in the app."""
        with self._spool.transaction() as connection:
            connection.execute(
                "INSERT INTO written (event_id, question, rows_before, done) VALUES (?, ?, 0, 1) "
                "ON CONFLICT (event_id, question) DO UPDATE SET done = 1",
                (event_id, question),
            )
