"""Which engine a hub runs on, and a store on it, with a schema that fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hub.store.migrate import Place, current_revision, migrate, require_current
from hub.store.move_marks import refuse_moved, refuse_under_way
from hub.store.restoring import finish, refuse_half_done
from hub.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from hub.store.engines import AnyStore


def open_store(place: Place, found: Callable[[bool], None], *, migrates: bool) -> AnyStore:
    """A store on a SQLite file, which is made or migrated on the way, or on PostgreSQL's URL, which only a
    caller that `migrates` makes or migrates: others raise MigrationNeeded, with the remedy, if it is older.
    `found` is told, before anything is made, whether there is a database already; it may refuse."""
    if isinstance(place, Path):
        finish(place)
        refuse_half_done(place)
        refuse_moved(place)
        found(place.exists())
        migrate(place)
        return SqliteStore(place)
    if not migrates:
        require_current(place)
    there = current_revision(place) is not None
    if there:
        refuse_under_way(place)
    found(there)
    if migrates:
        migrate(place)
    from hub.store.postgres.store import PostgresStore  # a hub on SQLite loads no driver of another engine

    return PostgresStore(place)
