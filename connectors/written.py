"""Which answers are in the app: what tells two answers in the same words apart.

`already_written` gives a row for each time that its INSERT took effect. Two answers about which it asks with
the same values are told apart by number: so many of its rows belong to earlier answers. An answer that a
restored hub has lost counts no more, for the hub will bring it again as another event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
import structlog

from connectors.dialects.base import parameters_in
from connectors.events import ANSWERED, short_type
from connectors.inbox import READING_AGAIN, RESTORED_AFTER, WHOLE
from connectors.spool import Spool, as_bytes
from connectors.words import one_line

LACKS = (
    "the hub was restored from a backup and lacks answers that this app has; see that the agencies that gave "
    "them give them again: in the same words they become no second row"
)
SHOWN = 10
log = structlog.get_logger("simpul-connector")


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

    def in_doubt(self, event_id: str, question: bytes) -> bool:
        """While the mailbox is read again, `earlier` counts none that the hub has not given yet."""
        row = self._spool.connection.execute(
            "SELECT 1 FROM written WHERE question = ? AND event_id <> ? AND done AND NOT in_hub",
            (question, event_id),
        ).fetchone()
        return row is not None and bool(self._spool.get(READING_AGAIN))

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
                "INSERT INTO written (event_id, question, rows_before, in_hub) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (event_id, question, rows_before, self._is_in_hub(event_id)),
            )

    def forget(self, event_id: str) -> None:
        """The database refused it: another answer may come first, and what is there is counted anew."""
        with self._spool.transaction() as connection:
            connection.execute("DELETE FROM written WHERE event_id = ? AND NOT done", (event_id,))

    def note(self, event_id: str, question: bytes) -> None:
        """It is in the app."""
        with self._spool.transaction() as connection:
            connection.execute(
                "INSERT INTO written (event_id, question, rows_before, done, in_hub) VALUES (?, ?, 0, 1, ?) "
                "ON CONFLICT (event_id, question) DO UPDATE SET done = 1",
                (event_id, question, self._is_in_hub(event_id)),
            )

    def _is_in_hub(self, event_id: str) -> bool:
        """False of an event that waited here while the hub was restored, and that it did not give again."""
        row = self._spool.connection.execute(
            "SELECT 1 FROM events WHERE event_id = ? AND position IS NULL AND number <= ?",
            (event_id, int(self._spool.get(RESTORED_AFTER, "0"))),
        ).fetchone()
        return row is None

    def set_aside_before(self, event: Mapping[str, Any]) -> str | None:
        """The id of an earlier event of its case whose answer the database refused, so that it is not in the
        app."""
        rows = self._spool.connection.execute(
            "SELECT body FROM events WHERE subject = ? AND state = 'failed' AND body IS NOT NULL "
            "AND number < (SELECT number FROM events WHERE event_id = ?) ORDER BY number",
            (str(event.get("subject", "")), str(event["id"])),
        )
        earlier = (orjson.loads(row[0]) for row in rows)
        return next((str(one["id"]) for one in earlier if short_type(one) == ANSWERED), None)

    def lost(self) -> list[str]:
        """The references of reports with an answer that is in the app, that a restored hub lacks and that was
        not given again: a later answer to the report stands for one that is lost. Where the hub trimmed its
        mailbox, only of events after the first one that it gave."""
        rows = self._spool.connection.execute(
            "SELECT DISTINCT number, in_hub, "
            "coalesce((SELECT min(reference) FROM complaints WHERE case_id = subject), "
            "(SELECT min(reference) FROM lost WHERE case_id = subject)) AS report "
            "FROM written JOIN events USING (event_id) WHERE done AND report IS NOT NULL "
            "AND report NOT IN (SELECT reference FROM complaints WHERE state = 'erased') "
            "AND (? OR number > (SELECT min(number) FROM events WHERE position IS NOT NULL)) ORDER BY number",
            (bool(self._spool.get(WHOLE)),),
        )
        lacking: Counter[str] = Counter()
        for _, in_hub, report in rows:
            if not in_hub or lacking[report]:
                lacking[report] += -1 if in_hub else 1
        return [report for report, count in lacking.items() if count]

    def lost_for_check(self) -> list[str]:
        """`lost`, for `check`: none while the mailbox is being read again, nor in a spool of an older
        connector."""
        known = self._spool.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'written'")
        if self._spool.get(READING_AGAIN) or known.fetchone() is None:
            return []
        return self.lost()

    def tell_lost(self) -> None:
        """Names them for a person, when the hub's mailbox was read again."""
        found = self.lost()
        if found:
            log.warning(LACKS, count=len(found), references=", ".join(map(one_line, found[:SHOWN])))
