"""The write transaction, as both engines make it. On SQLite `BEGIN IMMEDIATE` takes the one write lock, which
is every lock that the port speaks of: reserved keys, streams and the tail. PostgreSQL's own locks are in
`hub/store/postgres/transaction.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from itertools import chain as joined
from typing import Any

import orjson

from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.domain.threads.thread import Message, Thread
from hub.ports.effects import (
    Effects,
    Head,
    Identity,
    Reference,
    Remembered,
)
from hub.ports.files import UploadedFile
from hub.ports.relaying import Place
from hub.ports.sealing import WrappedKey
from hub.store import statements
from hub.store.connection import next_generation
from hub.store.destroying import destroy
from hub.store.errors import translated
from hub.store.handovers import disable_departed, end_sessions
from hub.store.recent_states import RECENT_STATES
from hub.store.relaying import WAITING, read_offsets
from hub.store.rows import (
    STATE,
    agency_rows,
    case_row,
    leg_rows,
    remembered_from_row,
    texts_from_row,
)
from hub.store.sqlite_dialect import SQLITE
from hub.store.statements import Statements
from hub.store.thread_writing import load_messages, load_threads, write_threads


class Transaction:
    """One open transaction over a connection that takes the neutral SQL. The engine's subclass commits."""

    def __init__(self, connection: Any, sql: Statements) -> None:
        self._db = connection
        self._out = connection
        """Takes the INSERTs of `write`."""
        self._sql = sql
        self._dialect = sql.dialect
        self._found: dict[str, Case] = {}
        """Every case that this transaction loaded: its legs have rows already."""

    def reserve_keys(self, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        # a JSON list cannot carry bytes; these are few, and by primary key
        statement = f"SELECT {statements.REMEMBERED} FROM idempotency AS i WHERE i.key = ?"  # noqa: S608
        rows = (self._db.execute(statement, (key,)).fetchone() for key in keys)
        return {row[0]: remembered_from_row(row) for row in rows if row is not None}

    def reserve_references(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Reference]:
        if not pairs:
            return {}
        rows = self._db.execute(self._sql.references, self._dialect.of_pairs(pairs))
        return {(row[0], row[1]): Reference(*row) for row in rows}

    def lock(self, streams: Sequence[str]) -> set[str]:
        return set()

    def load_cases(self, case_ids: Sequence[str]) -> dict[str, Case]:
        rows = self._db.execute(self._sql.cases, self._dialect.of_texts(case_ids))
        found = {
            case_id: Case(RECENT_STATES.read(case_id, state), texts_from_row(texts))
            for case_id, state, texts in rows
        }
        self._found |= found
        return found

    def load_heads(self, streams: Sequence[str]) -> dict[str, Head]:
        rows = self._db.execute(self._sql.heads, self._dialect.of_texts(streams))
        return {stream: Head(sequence, chain) for stream, sequence, chain in rows}

    def load_keys(self, streams: Sequence[str]) -> dict[str, WrappedKey]:
        rows = self._db.execute(self._sql.keys, self._dialect.of_texts(streams))
        return {stream: WrappedKey(stream, generation, wrapped) for stream, generation, wrapped in rows}

    def load_identities(self, case_ids: Sequence[str]) -> dict[str, Identity]:
        rows = self._db.execute(self._sql.identities, self._dialect.of_texts(case_ids))
        return {row[0]: Identity(*row) for row in rows}

    def load_agencies(self, ids: Sequence[str]) -> dict[str, Agency]:
        rows = self._db.execute(self._sql.agencies, self._dialect.of_texts(ids))
        return {name: Agency(**orjson.loads(document)) for name, document in rows}

    def inactive_clients(self, client_ids: Collection[str]) -> set[str]:
        if not client_ids:
            return set()
        left = set(client_ids)
        for statement in (self._sql.active_clients, self._sql.active_officers):
            if left:  # whoever is no client is an officer
                rows = self._db.execute(statement, self._dialect.of_texts(sorted(left)))
                left -= {row[0] for row in rows}
        return left

    def load_files(self, named: Sequence[tuple[str, str]]) -> dict[tuple[str, str], UploadedFile]:
        if not named:
            return {}
        rows = self._db.execute(self._sql.files, self._dialect.of_pairs(named))
        return {
            (sha256, agency): UploadedFile(
                WrappedKey(f"uploader:{agency}", generation, wrapped), media_type, size
            )
            for sha256, agency, wrapped, generation, media_type, size in rows
        }

    def officers_agencies(self, ids: Sequence[str]) -> dict[str, str]:
        return dict(self._db.execute(self._sql.active_officers, self._dialect.of_texts(ids)).fetchall())

    def load_threads(self, thread_ids: Sequence[str]) -> dict[str, Thread]:
        return load_threads(self._db, self._sql.threads, self._dialect.of_texts(thread_ids))

    def load_messages(self, message_ids: Sequence[str]) -> dict[str, Message]:
        return load_messages(self._db, self._sql.threads, self._dialect.of_texts(message_ids))

    def next_offsets(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Place]:
        return read_offsets(self._db, partitions, self._dialect.locking)

    def tail(self) -> int:
        position: int = self._db.execute(statements.TAIL).fetchone()[0]
        return position

    def mailbox_heads(self, agencies: Sequence[str]) -> dict[str, int]:
        return dict(self._db.execute(self._sql.mailbox_heads, self._dialect.of_texts(agencies)).fetchall())

    def write(self, effects: Effects) -> None:
        self._write_log(effects)
        self._write_tables(effects)
        if effects.next_offsets:
            self._write_inbound(effects)
        if effects.destroyed:
            self._destroy(effects)

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        self._db.execute("ROLLBACK")

    def _destroy(self, effects: Effects) -> None:
        """After everything else is written, so that nothing of this transaction stays either."""
        destroy(self._db, effects.destroyed)

    def _write_log(self, effects: Effects) -> None:
        db, sql = self._out, self._sql
        sql.insert_event.run(
            db,
            [(e.position, e.stream, e.sequence, e.id, e.header, e.sealed, e.chain) for e in effects.events],
        )
        sql.insert_key.run(db, [(k.stream, k.generation, k.wrapped) for k in effects.keys])
        sql.insert_identity.run(db, [(i.case_id, i.sealed) for i in effects.identities])
        sql.insert_remembered.run(
            db,
            [
                (r.key, r.body, r.status, r.kind, orjson.dumps(r.ids).decode(), r.created_at)
                for r in effects.remembered
            ],
        )
        sql.insert_holder_once.run(
            db, [(h.sha256, h.stream, h.key.generation, h.key.wrapped) for h in effects.holders]
        )

    def _write_inbound(self, effects: Effects) -> None:
        db, sql = self._out, self._sql
        sql.upsert_offset.run(
            db,
            [(*part, place.offset, place.topic_id or None) for part, place in effects.next_offsets.items()],
        )
        sql.insert_reply_once.run(
            db,
            [
                (r.agency, r.topic, r.partition, r.offset, r.correlation, r.document, r.created_at)
                for r in effects.replies
            ],
        )
        sql.insert_dead_letter_once.run(
            db,
            [
                (d.id, d.agency, d.topic, d.partition, d.offset, d.sha256, d.cause, d.created_at, WAITING)
                for d in effects.dead_letters
            ],
        )

    def _write_tables(self, effects: Effects) -> None:
        db, sql, new, changed = self._out, self._sql, effects.new_cases, effects.changed_cases
        sql.insert_case.run(db, [case_row(case) for case in new])
        sql.insert_case_agency.run(db, list(joined.from_iterable(agency_rows(case) for case in new)))
        rows = [case_row(case) for case in changed]
        for case, row in zip(changed, rows, strict=True):
            RECENT_STATES.keep(row[STATE], case.state)
        sql.upsert_case.run(db, rows)
        sql.upsert_case_agency.run(db, list(joined.from_iterable(agency_rows(c) for c in changed)))
        legs = [leg_rows(case, self._found.get(case.state.id)) for case in (*new, *changed)]
        sql.insert_leg_once.run(db, list(joined.from_iterable(legs)))
        self._found.clear()  # a rebuild loads and writes without end
        sql.insert_reference.run(
            db, [(r.agency, r.reference, r.case_id, r.accepted_at) for r in effects.references]
        )
        sql.insert_mailbox.run(db, [(m.agency, m.position, m.event) for m in effects.mailbox])
        sql.upsert_head.run(db, list({m.agency: m.position for m in effects.mailbox}.items()))
        if effects.threads:
            write_threads(db, sql.threads, effects.threads, effects.rooms, effects.messages)
        if effects.departed:
            disable_departed(db, effects.departed)
        if effects.agencies or effects.dated_facts:
            self._write_registry(effects, next_generation(self._db))

    def _write_registry(self, effects: Effects, generation: int) -> None:
        """No row twice in one statement: the last one holds."""
        db, sql = self._out, self._sql
        agencies = {agency.id: agency for agency in effects.agencies}
        sql.upsert_agency.run(db, [(a.id, orjson.dumps(a), generation) for a in agencies.values()])
        end_sessions(db, [agency.id for agency in agencies.values() if not agency.active])
        dated = {(fact.kind, fact.name): fact for fact in effects.dated_facts}
        sql.upsert_dated_fact.run(db, [(f.kind, f.name, f.sequence, f.document) for f in dated.values()])


class SqliteTransaction(Transaction):
    """Made by `SqliteStore.begin`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection, SQLITE_SQL)

    def write(self, effects: Effects) -> None:
        with translated():
            super().write(effects)

    def commit(self) -> None:
        with translated():
            self._db.execute("COMMIT")

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


SQLITE_SQL = Statements(SQLITE)
