"""Events from the hub on their way to the agency: kept until they took effect there, in order per subject.

An event that cannot take effect now waits with its subject's later ones; other subjects go on. Ids stay for
ever, so that an event that comes again (webhook retries, a restored hub) does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from connectors.erased import Erasures
from connectors.events import ERASED, concerns_connector, short_type
from connectors.parts import Parts
from connectors.spool import Spool

NOT_SHOWN = "not shown to the reporter: "
"""How the reason of a message begins of which the configuration does not say how it is shown."""
RESTORED_AFTER = "restored_after"
"""Where the spool keeps the number of the last event that it had at the last restore of the hub."""
WHOLE = "mailbox_whole"
"""Kept there since a restore as long as nothing was trimmed from the front of the hub's mailbox."""
READING_AGAIN = "reading_again"
"""Kept there from a restore until the mailbox was read to its end again."""
ATTEMPTS = 12
"""After so many refusals an event is set aside as failed, listed, and tried every hour and at a start."""


@dataclass(frozen=True)
class Waiting:
    """One event that has not taken effect yet."""

    number: int
    event: dict[str, Any]
    attempts: int

    @property
    def subject(self) -> str:
        """Within what it keeps its order: a case, or a thread."""
        return str(self.event.get("subject", ""))


class Inbox:
    """The events table of the spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._erasures, self._parts = Erasures(spool), Parts(spool)

    def take(self, event: dict[str, Any], wanted: bool, position: int | None = None) -> bool:
        """Keeps an event; False when it was here before. What is not `wanted`, by the agency or for the
        connector itself, is remembered by id only; so are words of a case that was erased since. An erasure
        deletes in this commit what waits of its case."""
        kept = concerns_connector(event) or (wanted and self._erasures.keeps(event))
        body = orjson.dumps(event) if kept else None
        state = "pending" if kept else "skipped"
        with self._spool.transaction() as connection:
            if position is not None:
                connection.execute(
                    "UPDATE events SET position = ? WHERE event_id = ?", (position, str(event["id"]))
                )
            cursor = connection.execute(
                "INSERT INTO events (event_id, position, subject, body, state) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (event_id) DO NOTHING",
                (str(event["id"]), position, str(event.get("subject", "")), body, state),
            )
            new = cursor.rowcount == 1
            if new or short_type(event) == ERASED:
                self._note(event, kept)
            if not new:  # after a restore of the hub: this one survived it
                connection.execute(
                    "UPDATE written SET in_hub = 1 WHERE event_id = ? AND NOT in_hub", (str(event["id"]),)
                )
            return new

    def _note(self, event: dict[str, Any], kept: bool) -> None:
        """What the connector knows by an event beside handing it over. An erasure that a restored hub tells
        again has no receipt there perhaps: it takes effect again."""
        if kept:
            self._parts.note(event)
        if short_type(event) == ERASED:
            self._erasures.take(event)
            self._spool.connection.execute(
                "UPDATE events SET state = 'pending', body = ?, attempts = 0, not_before = 0 "
                "WHERE event_id = ? AND state <> 'pending' AND event_id IN "
                "(SELECT event_id FROM erasures WHERE state = 'open')",
                (orjson.dumps(event), str(event["id"])),
            )

    def ready(
        self, now_s: float, limit: int, *, tried: bool | None = None, newest: bool = False
    ) -> list[Waiting]:
        """The first waiting event of each subject, if its pause is over: new ones first, then, of those that
        were `tried` before, who waits longest, so that those that fail keep no turn from the others. `tried`
        asks for these alone, or for the new ones alone; `newest` for the last that came first."""
        rows = self._spool.connection.execute(
            "SELECT number, body, attempts FROM events WHERE state = 'pending' AND not_before <= :now_s "
            "AND number IN (SELECT min(number) FROM events WHERE state = 'pending' GROUP BY subject) "
            "AND (:tried IS NULL OR (attempts > 0) = :tried) "
            "ORDER BY CASE WHEN :newest THEN -number END, attempts > 0, not_before, number LIMIT :limit",
            {"now_s": now_s, "tried": tried, "newest": newest, "limit": limit},
        )
        return [Waiting(number, orjson.loads(body), attempts) for number, body, attempts in rows]

    def waits(self, number: int) -> bool:
        """False for one that ended since it was read: its case was erased."""
        row = self._spool.connection.execute(
            "SELECT 1 FROM events WHERE number = ? AND state = 'pending'", (number,)
        ).fetchone()
        return row is not None

    def subjects(self) -> set[str]:
        """Of which anything waits, its pause over or not."""
        rows = self._spool.connection.execute("SELECT DISTINCT subject FROM events WHERE state = 'pending'")
        return {str(row[0]) for row in rows}

    def done(self, number: int, note: str | None = None) -> None:
        """It took effect: its body goes, its id stays."""
        self._end(number, "done", note)

    def fail(self, number: int, reason: str) -> None:
        """Set aside; its subject's later events go on. The body stays for the next start."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE events SET state = 'failed', reason = ? WHERE number = ? AND body IS NOT NULL",
                (reason, number),
            )

    def postpone(self, number: int, reason: str, not_before_s: float) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE events SET attempts = attempts + 1, reason = ?, not_before = ? "
                "WHERE number = ? AND body IS NOT NULL",
                (reason, not_before_s, number),
            )

    def revive(self) -> int:
        """At a start and every hour, whatever failed is tried again: somebody may have mended the cause. What
        waits keeps its attempts, by which new ones go before it."""
        with self._spool.transaction() as connection:
            return connection.execute(
                "UPDATE events SET attempts = CASE state WHEN 'failed' THEN 0 ELSE attempts END, "
                "state = 'pending', not_before = 0 "
                "WHERE state = 'failed' OR (state = 'pending' AND not_before > 0)"
            ).rowcount

    def settled_position(self, read_up_to: int) -> int:
        """The highest mailbox position below which nothing waits any more."""
        row = self._spool.connection.execute(
            "SELECT min(position) FROM events WHERE state = 'pending' AND position IS NOT NULL"
        ).fetchone()
        return read_up_to if row[0] is None else min(read_up_to, int(row[0]) - 1)

    def forget_positions(self) -> None:
        """The hub was restored: its positions count anew, the event ids stay. Which of the answers that are
        in the app, or wait for it, it still has is seen when they are read again."""
        with self._spool.transaction() as connection:
            connection.execute("UPDATE erasures SET state = 'open' WHERE state = 'done'")
            connection.execute("UPDATE written SET in_hub = 0 WHERE in_hub")
            connection.execute("UPDATE events SET position = NULL WHERE position IS NOT NULL")
            last = connection.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0]
            self._spool.put(RESTORED_AFTER, str(last))
            self._spool.put(WHOLE, "yes")

    def counts(self) -> dict[str, int]:
        return dict(self._spool.connection.execute("SELECT state, count(*) FROM events GROUP BY state"))

    def not_shown(self) -> list[str]:
        """Each message to a reporter that waits until the configuration says how it is shown: the reason."""
        rows = self._spool.connection.execute(
            "SELECT DISTINCT reason FROM events WHERE state IN ('pending', 'failed') "
            "AND reason LIKE ? || '%'",
            (NOT_SHOWN,),
        )
        return [str(row[0]) for row in rows]

    def troubles(self, limit: int = 500) -> list[tuple[str, str, str]]:
        """(event id and its report, state, reason) of what did not take effect, and then of what did and has
        a note for a person."""
        return self._spool.connection.execute(
            "SELECT event_id || coalesce(', report ' || "
            "(SELECT min(reference) FROM complaints WHERE case_id = subject), ''), state, reason "
            "FROM events WHERE reason IS NOT NULL ORDER BY state = 'done', number LIMIT ?",
            (limit,),
        ).fetchall()

    def reference_of(self, event: dict[str, Any]) -> str | None:
        """The reference of the app's report that the event is about, where the spool knows it."""
        row = self._spool.connection.execute(
            "SELECT min(reference) FROM complaints WHERE case_id = ?", (str(event.get("subject", "")),)
        ).fetchone()
        return None if row[0] is None else str(row[0])

    def _end(self, number: int, state: str, note: str | None) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE events SET state = ?, body = NULL, reason = ? WHERE number = ?", (state, note, number)
            )
