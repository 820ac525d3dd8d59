"""A read session, on either engine; whether on one snapshot is for who opens it (`Store.read`, `glance`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.domain.events import Recorded
from hub.ports.effects import (
    Head,
    Identity,
    Reference,
    Remembered,
)
from hub.ports.sealing import WrappedKey
from hub.ports.store import CaseFilter, MailboxRow, MailboxState
from hub.store import lookups, statements
from hub.store.handovers import HandoverSession
from hub.store.listing import listing
from hub.store.rows import FORMER, case_from_row, remembered_from_row
from hub.store.statements import LOG_COLUMNS, Statements
from hub.store.sweeping import SweepSession
from hub.store.thread_reading import ThreadSession

TO_WAKE: Final = "SELECT id FROM cases WHERE next_wake <= ? ORDER BY next_wake, id LIMIT ?"
STREAMS: Final = "SELECT stream FROM log WHERE stream > ? ORDER BY stream, sequence LIMIT ?"
"""With DISTINCT, PostgreSQL may sort the whole log for every page."""


class Session(ThreadSession, HandoverSession, SweepSession):
    """Implements `hub.ports.store.ReadSession`."""

    def __init__(self, connection: Any, sql: Statements) -> None:
        self._db = connection
        self._sql = sql
        self._dialect = sql.dialect

    def case(self, case_id: str) -> Case | None:
        row = self._db.execute("SELECT state, texts FROM cases WHERE id = ?", (case_id,)).fetchone()
        return case_from_row(*row) if row else None

    def case_of_tracking(self, tracking_number: str) -> str | None:
        return self._value("SELECT id FROM cases WHERE tracking_number = ?", tracking_number)

    def case_of_leg(self, leg_id: str) -> str | None:
        return self._value("SELECT case_id FROM legs WHERE id = ?", leg_id)

    def cases(
        self, agency: str, wanted: CaseFilter, after: tuple[str, ...] | None, limit: int
    ) -> list[tuple[tuple[str, ...], Case]]:
        statement, values, by_change = listing(self._dialect, agency, wanted, after, limit)
        rows = self._db.execute(statement, values).fetchall()
        return [
            ((when, case_id) if by_change else (case_id,), case_from_row(state, texts))
            for case_id, when, state, texts in rows
        ]

    def reference(self, agency: str, reference: str) -> Reference | None:
        row = self._db.execute(
            "SELECT agency, reference, case_id, accepted_at FROM case_references "
            "WHERE agency = ? AND reference = ?",
            (agency, reference),
        ).fetchone()
        return Reference(*row) if row else None

    def identities(self, case_ids: Sequence[str]) -> dict[str, Identity]:
        return lookups.identities(self._db.execute(self._sql.identities, self._dialect.of_texts(case_ids)))

    def keys(self, streams: Sequence[str]) -> dict[str, WrappedKey]:
        return lookups.keys(self._db.execute(self._sql.keys, self._dialect.of_texts(streams)))

    def stream(self, stream: str, after: int, limit: int) -> list[Recorded]:
        rows = self._db.execute(
            f"SELECT {LOG_COLUMNS} FROM log WHERE stream = ? AND sequence > ? ORDER BY sequence LIMIT ?",  # noqa: S608
            (stream, after, limit),
        )
        return [Recorded(*row) for row in rows]

    def events_after(self, position: int, limit: int) -> list[Recorded]:
        rows = self._db.execute(
            f"SELECT {LOG_COLUMNS} FROM log WHERE position > ? ORDER BY position LIMIT ?",  # noqa: S608
            (position, limit),
        )
        return [Recorded(*row) for row in rows]

    def last_position(self) -> int:
        position: int = self._db.execute(statements.TAIL).fetchone()[0]
        return position

    def heads(self, after: str, limit: int) -> list[tuple[str, Head]]:
        rows = self._db.execute(STREAMS, (after, limit)).fetchall()
        streams = list(dict.fromkeys(row[0] for row in rows))
        found = self._db.execute(self._sql.heads, self._dialect.of_texts(streams))
        return sorted(lookups.heads(found).items())

    def mailbox_state(self, agency: str) -> MailboxState:
        head = self._db.execute("SELECT head FROM mailboxes WHERE agency = ?", (agency,)).fetchone()
        marks = self._db.execute(
            "SELECT first, cursor FROM mailbox_cursors WHERE agency = ?", (agency,)
        ).fetchone()
        first, cursor = marks or (1, 0)
        return MailboxState(head[0] if head else 0, first, cursor)

    def mailbox(self, agency: str, after: int, limit: int) -> list[MailboxRow]:
        rows = self._db.execute(
            "SELECT m.position, l.position, l.stream, l.sequence, l.id, l.header, l.sealed, l.chain, "
            "k.generation, k.wrapped, a.role FROM mailbox AS m JOIN log AS l ON l.position = m.event "
            "LEFT JOIN stream_keys AS k ON k.stream = l.stream "
            "LEFT JOIN case_agencies AS a ON a.agency = m.agency AND a.case_id = l.stream "
            "WHERE m.agency = ? AND m.position > ? ORDER BY m.position LIMIT ?",
            (agency, after, limit),
        )
        return [
            MailboxRow(
                row[0],
                Recorded(*row[1:8]),
                None if row[9] is None else WrappedKey(row[2], row[8], row[9]),
                row[10] == FORMER,
            )
            for row in rows
        ]

    def mailbox_event_ids(self, agency: str, first: int, last: int) -> list[tuple[int, str]]:
        rows: list[tuple[int, str]] = self._db.execute(
            "SELECT m.position, l.id FROM mailbox AS m JOIN log AS l ON l.position = m.event "
            "WHERE m.agency = ? AND m.position BETWEEN ? AND ? ORDER BY m.position",
            (agency, first, last),
        ).fetchall()
        return rows

    def submissions(self, agency: str, since: str, until: str) -> list[tuple[str, str]]:
        rows: list[tuple[str, str]] = self._db.execute(
            "SELECT reference, case_id FROM case_references "
            "WHERE agency = ? AND accepted_at >= ? AND accepted_at < ? ORDER BY reference",
            (agency, since, until),
        ).fetchall()
        return rows

    def missing_references(self, agency: str, references: Sequence[str]) -> list[str]:
        wanted = (*self._dialect.of_texts(references), agency)
        rows = self._db.execute(self._sql.missing_references, wanted)
        return [row[0] for row in rows]

    def agencies(self) -> list[Agency]:
        rows = self._db.execute("SELECT document FROM agencies ORDER BY id")
        return [Agency(**orjson.loads(row[0])) for row in rows]

    def to_wake(self, until: str, limit: int) -> list[str]:
        rows = self._db.execute(TO_WAKE, (until, limit))
        return [row[0] for row in rows]

    def remembered(self, key: bytes) -> Remembered | None:
        row = self._db.execute(
            f"SELECT {statements.REMEMBERED} FROM idempotency AS i WHERE i.key = ?",  # noqa: S608
            (key,),
        ).fetchone()
        return remembered_from_row(row) if row else None

    def incarnation(self) -> str:
        return self._value("SELECT value FROM facts WHERE name = ?", "incarnation") or ""

    def _value(self, statement: str, parameter: str) -> str | None:
        row = self._db.execute(statement, (parameter,)).fetchone()
        return row[0] if row else None
