"""The write transaction on SQLite. `BEGIN IMMEDIATE` takes the one write lock, which is every lock that the
port speaks of: reserved keys, cases and the tail."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from itertools import chain as joined

import orjson

from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.ports.sealing import WrappedKey
from hub.ports.store import Effects, Head, Reference, Remembered, UploadedFile
from hub.store import statements as sql
from hub.store.connection import next_generation
from hub.store.errors import translated
from hub.store.rows import agency_rows, case_from_row, case_row, leg_rows, remembered_from_row


class SqliteTransaction:
    """One open transaction; made by `SqliteStore.begin`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.done = False

    def reserve_keys(self, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        if not keys:
            return {}
        found = self._chosen_blobs(keys)
        return {row[0]: remembered_from_row(row) for row in found}

    def _chosen_blobs(self, keys: Sequence[bytes]) -> list[tuple[bytes, bytes, int, str, str, str]]:
        # json_each cannot carry bytes; these are few, and by primary key
        statement = "SELECT key, body, status, kind, ids, created_at FROM idempotency WHERE key = ?"
        rows = (self._db.execute(statement, (key,)).fetchone() for key in keys)
        return [row for row in rows if row is not None]

    def reserve_references(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Reference]:
        if not pairs:
            return {}
        rows = self._db.execute(sql.SELECT_REFERENCES, (_json(pairs),))
        return {(row[0], row[1]): Reference(*row) for row in rows}

    def load_cases(self, case_ids: Sequence[str]) -> dict[str, Case]:
        rows = self._db.execute(sql.SELECT_CASES, (_json(case_ids),))
        return {case_id: case_from_row(state, texts) for case_id, state, texts in rows}

    def load_heads(self, streams: Sequence[str]) -> dict[str, Head]:
        heads = {}
        for stream in streams:
            row = self._db.execute(sql.SELECT_HEAD, (stream,)).fetchone()
            if row is not None:
                heads[stream] = Head(*row)
        return heads

    def load_keys(self, streams: Sequence[str]) -> dict[str, WrappedKey]:
        rows = self._db.execute(sql.SELECT_KEYS, (_json(streams),))
        return {stream: WrappedKey(stream, generation, wrapped) for stream, generation, wrapped in rows}

    def load_agencies(self, ids: Sequence[str]) -> dict[str, Agency]:
        rows = self._db.execute(sql.SELECT_AGENCIES, (_json(ids),))
        return {name: Agency(**orjson.loads(document)) for name, document in rows}

    def inactive_clients(self, client_ids: Collection[str]) -> set[str]:
        if not client_ids:
            return set()
        rows = self._db.execute(sql.SELECT_ACTIVE_CLIENTS, (_json(list(client_ids)),))
        return set(client_ids) - {row[0] for row in rows}

    def load_files(self, named: Sequence[tuple[str, str]]) -> dict[tuple[str, str], UploadedFile]:
        if not named:
            return {}
        rows = self._db.execute(sql.SELECT_FILES, (_json(named),))
        return {
            (sha256, agency): UploadedFile(
                WrappedKey(f"uploader:{agency}", generation, wrapped), media_type, size
            )
            for sha256, agency, wrapped, generation, media_type, size in rows
        }

    def tail(self) -> int:
        position: int = self._db.execute(sql.SELECT_TAIL).fetchone()[0]
        return position

    def mailbox_heads(self, agencies: Sequence[str]) -> dict[str, int]:
        return dict(self._db.execute(sql.SELECT_HEADS, (_json(agencies),)).fetchall())

    def write(self, effects: Effects) -> None:
        with translated():
            self._write_log(effects)
            self._write_tables(effects)

    def _write_log(self, effects: Effects) -> None:
        db = self._db
        sql.INSERT_EVENT.run(
            db,
            [(e.position, e.stream, e.sequence, e.id, e.header, e.sealed, e.chain) for e in effects.events],
        )
        sql.INSERT_KEY.run(db, [(k.stream, k.generation, k.wrapped) for k in effects.keys])
        sql.INSERT_IDENTITY.run(db, [(i.case_id, i.sealed) for i in effects.identities])
        sql.INSERT_REMEMBERED.run(
            db,
            [(r.key, r.body, r.status, r.kind, _json(r.ids), r.created_at) for r in effects.remembered],
        )
        sql.UPSERT_HOLDER.run(
            db, [(h.sha256, h.stream, h.key.generation, h.key.wrapped) for h in effects.holders]
        )

    def _write_tables(self, effects: Effects) -> None:
        db, new, changed = self._db, effects.new_cases, effects.changed_cases
        sql.INSERT_CASE.run(db, [case_row(case) for case in new])
        sql.INSERT_CASE_AGENCY.run(db, list(joined.from_iterable(agency_rows(case) for case in new)))
        sql.UPSERT_CASE.run(db, [case_row(case) for case in changed])
        sql.UPSERT_CASE_AGENCY.run(db, list(joined.from_iterable(agency_rows(c) for c in changed)))
        sql.UPSERT_LEG.run(db, list(joined.from_iterable(leg_rows(c) for c in (*new, *changed))))
        sql.INSERT_REFERENCE.run(
            db, [(r.agency, r.reference, r.case_id, r.accepted_at) for r in effects.references]
        )
        sql.INSERT_MAILBOX.run(db, [(m.agency, m.position, m.event) for m in effects.mailbox])
        sql.UPSERT_HEAD.run(db, list({m.agency: m.position for m in effects.mailbox}.items()))
        if effects.agencies:
            generation = next_generation(self._db)
            sql.UPSERT_AGENCY.run(db, [(a.id, orjson.dumps(a), generation) for a in effects.agencies])

    def commit(self) -> None:
        with translated():
            self._db.execute("COMMIT")
        self.done = True

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self.done = True


def _json(values: object) -> str:
    return orjson.dumps(values).decode()
