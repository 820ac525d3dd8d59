"""Who is on a PostgreSQL database, by a lock of sessions, which the server lets go of when the connection
ends, however the process ended. Whoever may write holds it, shared, on the very connection that it writes by:
no connection, no lock, no write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from hub.errors import CommandRefused, StoreUnavailable
from hub.store.postgres.connections import WRITER, Connection, Limits, connector
from hub.store.postgres.errors import translated

HUB_LOCK: Final = 0x53696D70756C0003
HUBS: Final = (WRITER, "simpul presence")
"""The names of serving hubs' connections that hold the lock; the second is that of older versions."""
TAKE: Final = (
    "SELECT {function}(?), set_config('application_name', ?, false), (SELECT set_config(name, '0', false) "
    "FROM pg_settings WHERE name = 'idle_session_timeout')"
)
"""The lock is not lost to a time limit for sessions that have nothing to do; servers before 14 have none."""
HOLDERS: Final = (
    "SELECT a.application_name, host(a.client_addr) "
    "FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_backend_pid() "
    "AND l.classid::bigint = ? AND l.objid::bigint = ? "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
INCARNATION: Final = "SELECT value FROM facts WHERE name = 'incarnation'"


class Alone:
    """That nobody else may write meanwhile, as long as its connection lives."""

    def __init__(self, connection: Connection, what: str) -> None:
        self._connection, self._what = connection, what

    def still(self) -> None:
        """StoreUnavailable where the lock was lost, and others may have begun to write."""
        with translated():
            if self._connection.is_alive() and self._connection.execute("SELECT 1").fetchone():
                return
        raise StoreUnavailable(
            f"The connection by which {self._what} had the database for itself was cut, so that it did "
            "not take effect. Run it again."
        )


@contextmanager
def alone(url: str, what: str) -> Iterator[Alone]:
    """Nobody who may write is on the database meanwhile, nor comes. CommandRefused while somebody is."""
    name = f"simpul {what}"
    connection = connector(url, Limits())(name)
    try:
        if not _locked(connection, "pg_try_advisory_lock", name):
            raise CommandRefused(f"{what} needs the database for itself, but {_occupants(connection)}")
        yield Alone(connection, what)
    finally:
        leave(connection)
        connection.close()


def enter(connection: Connection, name: str) -> str | None:
    """Says, as long as the connection lives, that somebody may write by it. None, or why it may not: a
    command has the database for itself."""
    if _locked(connection, "pg_try_advisory_lock_shared", name):
        return None
    others = [name for name, _ in _holders(connection)]
    who = f"`{others[0]}`" if others else "A rebuild, a restore or a move"
    return f"{who} is under way on the database; wait for its end."


def leave(connection: Connection) -> None:
    """The server notices a closed connection a moment later; who comes next must not be told of it."""
    if not connection.is_alive():
        return
    try:
        connection.execute("SELECT pg_advisory_unlock_all()")
    except psycopg.Error:  # cut in this moment, and the lock with it
        connection.close()


def incarnation(connection: Connection) -> str | None:
    """Which hub's data these are; None where there are no tables yet."""
    try:
        row = connection.execute(INCARNATION).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return str(row[0]) if row else None


def _locked(connection: Connection, function: str, name: str) -> bool:
    with translated():
        row = connection.execute(TAKE.format(function=function), (HUB_LOCK, name)).fetchone()
    return bool(row[0])


def _holders(connection: Connection) -> list[tuple[str, Any]]:
    with translated():
        rows = connection.execute(HOLDERS, (HUB_LOCK >> 32, HUB_LOCK & 0xFFFFFFFF))
        return sorted((row[0], row[1]) for row in rows)


def _occupants(connection: Connection) -> str:
    """Who is there, and what to do."""
    holders = _holders(connection)
    commands = [(name, place) for name, place in holders if name not in HUBS]
    if len(commands) < len(holders) or not holders:
        return "a hub is running on it. Stop it first, on every machine."
    name, place = commands[0]
    return (
        f"`{name}`{f' from {place}' if place else ''} works on it. Wait for its end, or stop it; one that is "
        "suspended counts as well."
    )
