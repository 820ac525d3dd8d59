"""What a write transaction looks up before anything is decided, one question after the other. On PostgreSQL
`hub/store/postgres/lookups.py` asks them all at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson

from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.ports.effects import Found, Head, Identity, Reference, Remembered, Wanted
from hub.ports.sealing import WrappedKey
from hub.store import statements
from hub.store.recent_states import RECENT_STATES
from hub.store.rows import remembered_from_row, texts_from_row
from hub.store.statements import Statements

Rows = Iterable[tuple[Any, ...]]


class LookUps:
    """The part of a transaction that looks up, over a connection that takes the neutral SQL."""

    def __init__(self, connection: Any, sql: Statements) -> None:
        self._db = connection
        self._sql = sql
        self._dialect = sql.dialect
        self._found: dict[str, Case] = {}
        """Every case that this transaction loaded: its legs have rows already."""

    def look_up(self, wanted: Wanted) -> Found:
        return Found(
            self.load_remembered(wanted.remembered),
            self._load_references(wanted.references),
            self.load_cases(wanted.cases) if wanted.cases else {},
            self._load_heads(wanted.heads) if wanted.heads else {},
            self._load_keys(wanted.keys) if wanted.keys else {},
            self._load_identities(wanted.identities) if wanted.identities else {},
            self._load_agencies(wanted.agencies) if wanted.agencies else {},
            self._inactive_clients(wanted.clients),
        )

    def load_remembered(self, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        # a JSON list cannot carry bytes; these are few, and by primary key
        statement = f"SELECT {statements.REMEMBERED} FROM idempotency AS i WHERE i.key = ?"  # noqa: S608
        rows = (self._db.execute(statement, (key,)).fetchone() for key in keys)
        return remembered(row for row in rows if row is not None)

    def _load_references(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Reference]:
        """A pair that is free is absent and not reserved: its primary key tells who took it first."""
        if not pairs:
            return {}
        return references(self._db.execute(self._sql.references, self._dialect.of_pairs(pairs)))

    def load_cases(self, case_ids: Sequence[str]) -> dict[str, Case]:
        return self._cases(self._db.execute(self._sql.cases, self._dialect.of_texts(case_ids)))

    def _cases(self, rows: Rows) -> dict[str, Case]:
        found = {
            case_id: Case(RECENT_STATES.read(case_id, state), texts_from_row(texts))
            for case_id, state, texts in rows
        }
        self._found |= found
        return found

    def _load_heads(self, streams: Sequence[str]) -> dict[str, Head]:
        return heads(self._db.execute(self._sql.heads, self._dialect.of_texts(streams)))

    def _load_keys(self, streams: Sequence[str]) -> dict[str, WrappedKey]:
        return keys(self._db.execute(self._sql.keys, self._dialect.of_texts(streams)))

    def _load_identities(self, case_ids: Sequence[str]) -> dict[str, Identity]:
        return identities(self._db.execute(self._sql.identities, self._dialect.of_texts(case_ids)))

    def _load_agencies(self, ids: Sequence[str]) -> dict[str, Agency]:
        return agencies(self._db.execute(self._sql.agencies, self._dialect.of_texts(ids)))

    def _inactive_clients(self, client_ids: Collection[str]) -> set[str]:
        if not client_ids:
            return set()
        left = set(client_ids)
        for statement in (self._sql.active_clients, self._sql.active_officers):
            if left:  # whoever is no client is an officer
                rows = self._db.execute(statement, self._dialect.of_texts(sorted(left)))
                left -= {row[0] for row in rows}
        return left


def remembered(rows: Rows) -> dict[bytes, Remembered]:
    return {row[0]: remembered_from_row(row) for row in rows}


def references(rows: Rows) -> dict[tuple[str, str], Reference]:
    return {(row[0], row[1]): Reference(*row) for row in rows}


def heads(rows: Rows) -> dict[str, Head]:
    return {stream: Head(sequence, chain) for stream, sequence, chain in rows}


def keys(rows: Rows) -> dict[str, WrappedKey]:
    return {stream: WrappedKey(stream, generation, wrapped) for stream, generation, wrapped in rows}


def identities(rows: Rows) -> dict[str, Identity]:
    return {row[0]: Identity(*row) for row in rows}


def agencies(rows: Rows) -> dict[str, Agency]:
    return {name: Agency(**orjson.loads(document)) for name, document in rows}
