"""What migrating needs of PostgreSQL: the revision there, whether the database will do, a connection for
Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Final

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from hub.errors import StoreError
from hub.store.postgres.connections import WRITER, Connection, Limits, connector, plainly
from hub.store.postgres.errors import translated

PATIENT: Final = replace(Limits(), statement_ms=0, lock_ms=15_000)
"""A migration may take its time, but must not make others queue behind the locks that it waits for."""


TABLES: Final = (
    "SELECT c.relname::text FROM pg_class c WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') "
    "AND c.relnamespace = coalesce("
    "(SELECT relnamespace FROM pg_class WHERE oid = to_regclass('alembic_version')), "
    "to_regnamespace(quote_ident(current_schema()))) "
    "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid "
    "AND d.deptype = 'e') ORDER BY 1"
)
"""Where the hub's would be, or where some program's migrations are; an extension's are nobody's data."""
NOT_OURS: Final = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


@contextmanager
def looking(at: str | Connection) -> Iterator[Connection]:
    """The connection, or one to the URL as long as it takes."""
    if not isinstance(at, str):
        yield at
        return
    with closing(opened(at)) as connection:
        yield connection


def opened(url: str) -> Connection:
    """As a writer's: whoever has looked may go on to write by it."""
    return connector(url, Limits())(WRITER)


def tables_at(place: str | Connection) -> list[str]:
    """The names of the tables and views that are there, in order."""
    with looking(place) as connection, translated():
        return [name for (name,) in connection.execute(TABLES).fetchall()]


def revision(place: str | Connection) -> tuple[str, str] | None:
    """(revision, oldest program that can work with it), None for a database without our tables."""
    try:
        with looking(place) as connection, translated():
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            if row is None:
                return None
            fact = connection.execute("SELECT value FROM facts WHERE name = 'compatible_from'").fetchone()
    except StoreError as error:
        if isinstance(error.__cause__, NOT_OURS):
            return None
        raise
    return str(row[0]), str(fact[0]) if fact else str(row[0])


def refuse_unfit(url: str) -> None:
    """StoreError unless the database holds every character there is."""
    with looking(url) as connection, translated():
        encoding = connection.execute("SHOW server_encoding").fetchone()[0]
    if encoding != "UTF8":
        raise StoreError(
            f"The database's encoding is {encoding}; names and complaints need UTF8. Make a new one: "
            "CREATE DATABASE simpul ENCODING 'UTF8' TEMPLATE template0."
        )


def engine(url: str) -> Engine:
    """SQLAlchemy over the URL as libpq understands it, several hosts included."""
    return create_engine("postgresql+psycopg://", poolclass=NullPool, creator=plainly(url, PATIENT))
