"""Complaints on their way to the hub, by reference: what is sent, how it ended, and nothing of it kept.

Once a reference is acknowledged it is not sent again, whatever the mapping says later; only a hub that was
restored and lacks it (reconciling.py) makes it wait anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from connectors.entries import COLUMNS, Entry, Seen, entry_of
from connectors.spool import Spool

FINAL = ("sent", "erased")
LOST = "the hub had it and lost it in a restore; it is sent again when its row is read"


class Outbox:
    """The complaints table of the spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def find(self, references: Sequence[str]) -> dict[str, Entry]:
        wanted = orjson.dumps(list(references)).decode()
        rows = self._spool.connection.execute(
            f"SELECT {COLUMNS} FROM complaints WHERE reference IN (SELECT value FROM json_each(?))",  # noqa: S608
            (wanted,),
        )
        return {entry.reference: entry for entry in map(entry_of, rows)}

    def by_case(self, case_id: str) -> Entry | None:
        row = self._spool.connection.execute(
            f"SELECT {COLUMNS} FROM complaints WHERE case_id = ?",  # noqa: S608
            (case_id,),
        ).fetchone()
        return entry_of(row) if row else None

    def waiting(self, limit: int, mapped_by: bytes | None = None) -> list[Entry]:
        """Those at which the hub has not failed yet, oldest first; of one mapping, or of any."""
        rows = self._spool.connection.execute(
            f"SELECT {COLUMNS} FROM complaints WHERE state = 'pending' AND failures = 0 "  # noqa: S608
            "AND mapped_by = coalesce(?, mapped_by) ORDER BY first_seen LIMIT ?",
            (mapped_by, limit),
        )
        return [entry_of(row) for row in rows]

    def failing(self, now_s: float, limit: int, mapped_by: bytes | None = None) -> list[Entry]:
        """Those at which the hub failed and whose pause is over, the longest waiting first."""
        rows = self._spool.connection.execute(
            f"SELECT {COLUMNS} FROM complaints WHERE state = 'pending' AND failures > 0 "  # noqa: S608
            "AND not_before <= ? AND mapped_by = coalesce(?, mapped_by) ORDER BY not_before LIMIT ?",
            (now_s, mapped_by, limit),
        )
        return [entry_of(row) for row in rows]

    def postpone(self, reference: str, reason: str, not_before_s: float) -> None:
        """The hub failed at this one; it may be tried again at `not_before_s`, in seconds since the epoch."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET failures = failures + 1, reason = ?, not_before = ? "
                "WHERE reference = ? AND state = 'pending'",
                (reason, not_before_s, reference),
            )

    def retry_at_once(self) -> None:
        """At a start: somebody may have mended the cause, or set the clock."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET not_before = 0 WHERE state = 'pending' AND failures > 0"
            )

    def count_waiting(self, mapped_by: bytes | None = None) -> int:
        row = self._spool.connection.execute(
            "SELECT count(*) FROM complaints WHERE state = 'pending' AND mapped_by = coalesce(?, mapped_by)",
            (mapped_by,),
        ).fetchone()
        return int(row[0])

    def waits_otherwise(self, mapped_by: bytes) -> bool:
        """Whether something waits that another mapping made."""
        row = self._spool.connection.execute(
            "SELECT 1 FROM complaints WHERE state = 'pending' AND mapped_by <> ? LIMIT 1", (mapped_by,)
        ).fetchone()
        return row is not None

    def queue(self, seen: Seen, content: bytes, photos: list[dict[str, Any]], route: list[str]) -> None:
        """The bytes that will be sent, with the SHA-256 by which they stay known."""
        digest = hashlib.sha256(content).digest()
        self._write(seen, "pending", content, orjson.dumps(photos), digest, None, orjson.dumps(route))

    def hold(self, seen: Seen, reason: str) -> None:
        self._write(seen, "held", None, None, None, reason, None)

    def refuse_here(self, seen: Seen, reason: str) -> None:
        """The shared schema refuses it already here; the hub is not asked."""
        self._write(seen, "refused", None, None, None, reason, None)

    def forget_refused(self, reference: str) -> None:
        """What was refused here is no row of the app any more."""
        with self._spool.transaction() as connection:
            connection.execute(
                "DELETE FROM complaints WHERE reference = ? AND state = 'refused'", (reference,)
            )

    def replace_content(self, reference: str, content: bytes) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET content = ?, photos = '[]', digest = ? "
                "WHERE reference = ? AND state = 'pending'",
                (content, hashlib.sha256(content).digest(), reference),
            )

    def mark_attempted(self, references: Iterable[str]) -> None:
        """From now on the hub may have it: its content is not mapped anew any more."""
        with self._spool.transaction() as connection:
            connection.executemany(
                "UPDATE complaints SET attempted = 1 WHERE reference = ? AND attempted = 0",
                [(reference,) for reference in references],
            )

    def acknowledge(self, reference: str, case_id: str, routed: bool) -> None:
        """The hub has it: its content goes, its digest stays."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET state = 'sent', case_id = ?, content = NULL, photos = NULL, "
                "reason = NULL, "
                "route_state = CASE WHEN route_state = 'none' AND ? THEN 'verify' ELSE route_state END "
                "WHERE reference = ? AND state <> 'erased'",
                (case_id, routed, reference),
            )
        self._spool.moved["complaint"] += 1

    def sent_after(self, reference: str, limit: int) -> list[str]:
        """Acknowledged references, sorted, behind this one."""
        rows = self._spool.connection.execute(
            "SELECT reference FROM complaints WHERE state = 'sent' AND reference > ? "
            "ORDER BY reference LIMIT ?",
            (reference, limit),
        )
        return [str(row[0]) for row in rows]

    def lose(self, references: Sequence[str]) -> int:
        """The hub had these and lacks them now: held until their rows were read again, which is asked for in
        the same commit. What was sent keeps its digest as a note."""
        with self._spool.transaction() as connection:
            for reference in references:
                connection.execute(
                    "INSERT INTO lost (reference, case_id, digest) "
                    "SELECT reference, case_id, digest FROM complaints WHERE reference = ?",
                    (reference,),
                )
            connection.executemany(
                "UPDATE complaints SET state = 'held', reason = ?, case_id = NULL, mapped_by = x'', "
                "attempted = 0, changed_later = 0, status_written = NULL, status_sequence = NULL, "
                "where_written = NULL, route_state = 'none', route_reason = NULL "
                "WHERE reference = ? AND state = 'sent'",
                [(LOST, reference) for reference in references],
            )
            if references:
                self._spool.put("reread", "1")
                self._spool.put("rescan_at", "")
        return len(references)

    def still_lost(self) -> int:
        """How many the hub lost whose rows were not found again."""
        row = self._spool.connection.execute(
            "SELECT count(*) FROM complaints WHERE state = 'held' AND reason = ?", (LOST,)
        ).fetchone()
        return int(row[0])

    def refuse(self, reference: str, reason: str, state: str = "refused") -> None:
        """The hub's final no, with its reason; `state` is erased when the hub destroyed the case."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET state = ?1, reason = ?2, content = NULL, photos = NULL, "
                "attempted = 0, digest = iif(?1 = 'erased', NULL, digest) "
                "WHERE reference = ?3 AND state = 'pending'",
                (state, reason, reference),
            )

    def mend_key(self, reference: str, source_key: str) -> None:
        """The app's own key as it stands there, by which its row is found again."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET source_key = ? WHERE reference = ?", (source_key, reference)
            )

    def note_change(self, reference: str, row_hash: bytes) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET changed_later = 1, row_hash = ? WHERE reference = ?",
                (row_hash, reference),
            )

    def note_status(
        self, reference: str, status: str, sequence: int | None, where: str | None = None
    ) -> None:
        """The app's word for the status that was last written there, and the place in its case of the event
        that said it: no earlier event changes the status any more. `where`: what was written beside it."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET status_written = ?, status_sequence = ?, where_written = ? "
                "WHERE reference = ?",
                (status, sequence, where, reference),
            )

    def forget_sequences(self) -> None:
        """The hub was restored: its cases count their events anew from the backup on."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET status_sequence = NULL WHERE status_sequence IS NOT NULL"
            )

    def to_route(self, limit: int, but: Sequence[str] = ()) -> list[Entry]:
        """Those to be verified or forwarded, oldest first, `but` these references."""
        rows = self._spool.connection.execute(
            f"SELECT {COLUMNS} FROM complaints WHERE route_state IN ('verify', 'forward') "  # noqa: S608
            "AND reference NOT IN (SELECT value FROM json_each(?)) ORDER BY first_seen LIMIT ?",
            (orjson.dumps(list(but)).decode(), limit),
        )
        return [entry_of(row) for row in rows]

    def routed(self, entry: Entry, state: str, reason: str | None = None) -> Entry:
        """Moves its routing on from where `entry` stands, unless somebody else did meanwhile (a restore was
        found); what stands now."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET route_state = ?, route_reason = ? "
                "WHERE reference = ? AND case_id IS ? AND route_state = ?",
                (state, reason, entry.reference, entry.case_id, entry.route_state),
            )
        return self.find([entry.reference])[entry.reference]

    def reroute(self, states: Sequence[str], reason: str | None = None) -> int:
        """Whatever stands in these states of its routing starts anew; a reason marks that its agencies are
        chosen anew too."""
        with self._spool.transaction() as connection:
            return connection.execute(
                "UPDATE complaints SET route_state = 'verify', route_reason = coalesce(?, route_reason) "
                "WHERE route_state IN (SELECT value FROM json_each(?))",
                (reason, orjson.dumps(list(states)).decode()),
            ).rowcount

    def count_moved(self, what: str) -> None:
        """For the log line a minute (progress.py)."""
        self._spool.moved[what] += 1

    def choose_route(self, reference: str, route: Sequence[str]) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE complaints SET route = ? WHERE reference = ?", (orjson.dumps(list(route)), reference)
            )

    def counts(self) -> dict[str, int]:
        """How many stand in each state."""
        return dict(self._spool.connection.execute("SELECT state, count(*) FROM complaints GROUP BY state"))

    def troubles(self, limit: int = 500) -> list[tuple[str, str, str]]:
        """(reference, state, reason) of whatever was refused, held, erased, could not be routed, or waits
        because the hub fails at it."""
        return self._spool.connection.execute(
            "SELECT reference, state, coalesce(reason, '') FROM complaints "
            "WHERE state IN ('refused', 'held', 'erased') OR (state = 'pending' AND reason IS NOT NULL) "
            "UNION ALL SELECT reference, 'not routed', coalesce(route_reason, '') FROM complaints "
            "WHERE route_state = 'failed' LIMIT ?",
            (limit,),
        ).fetchall()

    def _write(
        self,
        seen: Seen,
        state: str,
        content: bytes | None,
        photos: bytes | None,
        digest: bytes | None,
        reason: str | None,
        route: bytes | None,
    ) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "INSERT INTO complaints (reference, source_key, state, content, photos, digest, reason, "
                "row_hash, mapped_by, first_seen, route) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (reference) DO UPDATE SET state = excluded.state, content = excluded.content, "
                "photos = excluded.photos, digest = excluded.digest, reason = excluded.reason, "
                "row_hash = excluded.row_hash, mapped_by = excluded.mapped_by, route = excluded.route, "
                "attempted = 0, failures = 0, not_before = 0 "
                "WHERE complaints.state NOT IN ('sent', 'erased')",
                (
                    seen.reference, seen.source_key, state, content, photos, digest, reason, seen.row_hash,
                    seen.mapped_by, seen.first_seen, route,
                ),
            )  # fmt: skip
