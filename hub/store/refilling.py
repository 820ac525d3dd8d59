"""A backup poured into a PostgreSQL database: everything there is replaced, in one transaction. Until it
commits the old hub is whole; from then on the restored one is, under its new incarnation."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hub.store import tables
from hub.store.copying import KEPT, copy_rows
from hub.store.leftovers import working_folder
from hub.store.migrate import migrate
from hub.store.postgres.store import PostgresStore
from hub.store.postgres.transaction import TAIL_LOCK
from hub.store.projections import drop_trimmed
from hub.store.reading import Session
from hub.store.rebuilding import Fold
from hub.store.restored import note_restored
from hub.store.restoring import PREFIX, Restored, add_attachments, sweep
from hub.store.unpacking import bring_up_to_date, unpack
from hub.store.writing import Transaction

STAYING: Final = (tables.leases,)
"""Its tokens must never be given out again."""
TAKE_LOG: Final = f"SELECT pg_advisory_xact_lock({TAIL_LOCK})"
"""Nobody appends to the log that is replaced: what is committed before goes with it, nothing comes after."""


def refill(
    file: Path, url: str, attachments: Path, fold: Fold, still: Callable[[], None] = lambda: None
) -> Restored:
    """The caller sees to it that nobody else may write; `still`, asked before the commit, raises where that
    is no longer so. CommandRefused, with nothing changed, for a file that is no backup."""
    folder = attachments.parent
    sweep(folder)
    with working_folder(PREFIX, folder) as root:
        aside = unpack(file, root)
        bring_up_to_date(file, aside)
        migrate(url)
        store = PostgresStore(url, name=None)
        try:
            with store.writing() as target:
                for statement in store.dialect.patience:
                    target.execute(statement)
                target.execute(TAKE_LOG)
                incarnation = _pour(aside, store, target)
                events = fold(Session(target, store.sql), Transaction(target, store.sql))
                drop_trimmed(target)
                add_attachments(aside.parent / attachments.name, attachments)
                still()
        finally:
            store.close()
    return Restored(events, incarnation, None)


def _pour(aside: Path, store: PostgresStore, target: Any) -> str:
    """Rows as they were backed up, but for the facts that must be new."""
    generation = target.execute("SELECT value FROM facts WHERE name = 'registry_generation'").fetchone()
    for table in reversed(tables.metadata.sorted_tables):
        if table not in STAYING:
            target.execute(f"DELETE FROM {table.name}")  # noqa: S608  # our own table names
    source = sqlite3.connect(aside)
    try:
        for table in KEPT:
            if table not in STAYING:
                copy_rows(source, target, store.dialect, table)
    finally:
        source.close()
    incarnation = secrets.token_hex(16)
    target.execute("UPDATE facts SET value = ? WHERE name = 'incarnation'", (incarnation,))
    note_restored(target)
    target.execute(
        "UPDATE facts SET value = CAST(greatest(CAST(value AS BIGINT), CAST(? AS BIGINT)) + 1 AS TEXT) "
        "WHERE name = 'registry_generation'",
        (generation[0] if generation else "0",),
    )
    return incarnation
