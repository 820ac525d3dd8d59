"""What the relay and the inbound consumer keep, as rows on both engines (port: `hub.ports.relaying`)."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.ports.leases import RELAY
from hub.ports.relaying import DeadLetter, Place, RecordAnswer, Relayed
from hub.ports.store import CHORE_PAGE
from hub.store.dialect import Engine

WAITING, PUBLISHED, REDRIVEN = "waiting", "published", "redriven"
_ANSWER: Final = "agency, topic, partition, origin_offset, correlation, document, created_at"
_FORGOTTEN: Final = (
    "DELETE FROM dead_letters WHERE id IN "
    "(SELECT id FROM dead_letters WHERE state = ? AND created_at < ? ORDER BY created_at LIMIT ?)"
)
_LETTER: Final = "id, agency, topic, partition, origin_offset, sha256, cause, created_at"
_PUT_CURSOR: Final = (
    "INSERT INTO relay_cursors (name, position, incarnation, token) "
    "SELECT ?, ?, value, ? FROM facts WHERE name = 'incarnation' "
    "ON CONFLICT (name) DO UPDATE SET position = excluded.position, incarnation = excluded.incarnation, "
    "token = excluded.token WHERE relay_cursors.token <= excluded.token"
)


class RelayTables:
    """Implements `hub.ports.relaying.RelayTable`."""

    def __init__(self, store: Engine) -> None:
        self._store = store
        # a row's lock on PostgreSQL: nobody takes the lease over while this is being decided
        self._fence = "SELECT token FROM leases WHERE name = ?" + store.dialect.locking

    def cursors(self) -> dict[str, int]:
        """Of the present incarnation: positions before a restore say nothing about the log after it."""
        with self._store.glancing() as db:
            rows = db.execute(
                "SELECT c.name, c.position FROM relay_cursors AS c JOIN facts AS f "
                "ON f.name = 'incarnation' AND f.value = c.incarnation"
            )
            return dict(rows.fetchall())

    def settle(self, token: int, relayed: Relayed) -> bool:
        with self._store.writing() as db:
            if self._fenced(db, token):
                return False
            for name, position in sorted(relayed.cursors.items()):
                db.execute(_PUT_CURSOR, (name, position, token))
            for answer in relayed.record_answers:
                db.execute(
                    "DELETE FROM inbound_replies "
                    "WHERE agency = ? AND topic = ? AND partition = ? AND origin_offset = ?",
                    (answer.agency, answer.topic, answer.partition, answer.offset),
                )
            for letter in relayed.dead_letters:
                db.execute(
                    "UPDATE dead_letters SET state = ? WHERE id = ? AND state = ?",
                    (PUBLISHED, letter.id, WAITING),  # it may have been redriven since it was read
                )
        return True

    def _fenced(self, db: Any, token: int) -> bool:
        """Whether the lease has passed on."""
        row = db.execute(self._fence, (RELAY,)).fetchone()
        return row is not None and row[0] > token

    def record_answers(self, agency: str, limit: int) -> list[RecordAnswer]:
        with self._store.glancing() as db:
            rows = db.execute(
                f"SELECT {_ANSWER} FROM inbound_replies WHERE agency = ? "
                "ORDER BY topic, partition, origin_offset LIMIT ?",
                (agency, limit),
            )
            return [RecordAnswer(*row) for row in rows]

    def unpublished_dead_letters(self, limit: int) -> list[DeadLetter]:
        with self._store.glancing() as db:
            rows = db.execute(
                f"SELECT {_LETTER} FROM dead_letters WHERE state = ? ORDER BY created_at, id LIMIT ?",
                (WAITING, limit),
            )
            return [DeadLetter(*row) for row in rows]

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        with self._store.glancing() as db:
            rows = db.execute(
                f"SELECT {_LETTER} FROM dead_letters WHERE state <> ? "
                "ORDER BY created_at DESC, id DESC LIMIT ?",
                (REDRIVEN, limit),
            )
            return [DeadLetter(*row) for row in rows]

    def dead_letter(self, letter_id: str) -> DeadLetter | None:
        with self._store.glancing() as db:
            row = db.execute(
                f"SELECT {_LETTER} FROM dead_letters WHERE id = ? AND state <> ?", (letter_id, REDRIVEN)
            ).fetchone()
        return DeadLetter(*row) if row else None

    def forget_dead_letters(self, before: str, limit: int = CHORE_PAGE) -> int:
        """State by state, which is how the index goes; at most `limit` of each."""
        with self._store.writing() as db:
            return sum(
                int(db.execute(_FORGOTTEN, (state, before, limit)).rowcount)
                for state in (WAITING, PUBLISHED, REDRIVEN)
            )

    def redriven(self, letter_id: str) -> None:
        with self._store.writing() as db:
            db.execute("UPDATE dead_letters SET state = ? WHERE id = ?", (REDRIVEN, letter_id))

    def next_offsets(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        with self._store.glancing() as db:
            return read_offsets(db, partitions)

    def forget_offsets(self, topic: str, partition: int) -> None:
        with self._store.writing() as db:
            db.execute("DELETE FROM inbound_positions WHERE topic = ? AND partition = ?", (topic, partition))


def read_offsets(
    db: Any, partitions: Sequence[tuple[str, int]], locking: str = ""
) -> dict[tuple[str, int], Place]:
    """One by one, by primary key and in sorted order: they are few."""
    found = {}
    for topic, partition in sorted(partitions):
        row = db.execute(
            f"SELECT next_offset, topic_id FROM inbound_positions WHERE topic = ? AND partition = ?{locking}",
            (topic, partition),
        ).fetchone()
        if row is not None:
            found[topic, partition] = Place(row[0], row[1] or "")
    return found
