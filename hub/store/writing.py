"""The write transaction, as both engines make it. Their locks: `hub/store/sqlite/transaction.py`,
`hub/store/postgres/transaction.py`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain as joined
from typing import Any

import orjson

from hub.domain.threads.thread import Message, Thread
from hub.ports.effects import (
    Effects,
)
from hub.ports.files import UploadedFile
from hub.ports.relaying import Place
from hub.ports.sealing import WrappedKey
from hub.store import statements
from hub.store.destroying import destroy
from hub.store.generation import next_generation
from hub.store.handovers import disable_departed, end_sessions
from hub.store.lookups import LookUps
from hub.store.recent_states import RECENT_STATES
from hub.store.relaying import WAITING, read_offsets
from hub.store.rows import (
    STATE,
    agency_rows,
    case_row,
    leg_rows,
)
from hub.store.statements import Statements
from hub.store.thread_writing import load_messages, load_threads, write_threads


class Transaction(LookUps):
    """One open transaction over a connection that takes the neutral SQL. The engine's subclass commits."""

    def __init__(self, connection: Any, sql: Statements) -> None:
        super().__init__(connection, sql)
        self._out = connection
        """Takes the INSERTs of `write`."""

    def lock(self, streams: Sequence[str]) -> set[str]:
        return set()

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
                for r in effects.record_answers
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
