"""Which engine a hub runs on, and a store on it, with a schema that fits; or the database for oneself.

Whoever opens a store is *present* until it is closed: it may write. A rebuild, a restore and a move must be
*alone*: they are refused while anybody is present, and whoever comes meanwhile is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hub.store.migrate import Place, make_file, migrate, refuse_foreign, require_suitable, schema_of
from hub.store.move_marks import refuse_moved, refuse_under_way
from hub.store.restoring import finish, refuse_half_done
from hub.store.sqlite import presence as file_presence
from hub.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from hub.store.engines import AnyStore
    from hub.store.postgres.store import PostgresStore

Found = Callable[[bool], None]
"""Is told, before a table is made, whether the database has the hub's already; may refuse."""


def open_store(
    place: Place, found: Found, *, migrates: bool, name: str | None = None, is_alone: bool = False
) -> AnyStore:
    """A store on a SQLite file, which is made or migrated on the way, or on PostgreSQL's URL, which only a
    caller that `migrates` makes or migrates: others raise MigrationNeeded, with the remedy, if it is older.
    `name` is what a command is called where others are told of it. CommandRefused while somebody is alone on
    the database, unless that is the caller."""
    if isinstance(place, Path):
        return _on_file(place, found, is_alone=is_alone)
    return _on_server(place, found, migrates=migrates, name=name, is_alone=is_alone)


@contextmanager
def alone(place: Place, what: str) -> Iterator[Callable[[], None]]:
    """The database for the command `what`; CommandRefused while somebody is present. Gives what raises where
    it is no longer so."""
    if isinstance(place, Path):
        with file_presence.alone(place, what):
            yield lambda: None  # the kernel takes a lock from nobody
        return
    from hub.store.postgres import presence

    with presence.alone(place, what) as held:
        yield held.still


def _on_file(place: Path, found: Found, *, is_alone: bool) -> SqliteStore:
    """Present before the marks are looked at: from then on nobody can set one."""
    presence = None if is_alone else file_presence.present(place)
    try:
        finish(place)
        refuse_half_done(place)
        schema = schema_of(place)
        if schema is None:
            refuse_foreign(place)
            make_file(place)  # before the master key: a key without a database is of a hub elsewhere
        else:
            refuse_moved(place)
        found(schema is not None)
        if schema is None or not schema.suits:
            migrate(place)
        return SqliteStore(place, presence=presence)
    except BaseException:
        if presence is not None:
            presence.close()
        raise


def _on_server(url: str, found: Found, *, migrates: bool, name: str | None, is_alone: bool) -> PostgresStore:
    from hub.store.postgres import migrating  # a hub on SQLite loads no driver of another engine
    from hub.store.postgres.connections import WRITER
    from hub.store.postgres.store import PostgresStore

    connection = migrating.opened(url)
    try:
        schema = schema_of(connection)
        if schema is None:
            refuse_foreign(connection)
        if not migrates:
            require_suitable(schema)
        store = PostgresStore(url, name=None if is_alone else name or WRITER, writer=connection)
    except BaseException:
        connection.close()
        raise
    try:
        if schema is not None:
            with store.connection() as connection:
                refuse_under_way(connection)
        found(schema is not None)
        if schema is None or not schema.suits:
            migrate(url)
    except BaseException:
        store.close()
        raise
    return store
