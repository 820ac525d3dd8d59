"""Who is on the database: hubs together, or one command that needs it for itself. Locks of sessions, which
the server lets go of when their connection ends, however the process ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from hub.errors import CommandRefused
from hub.store.postgres.connections import Connection, Limits, connector
from hub.store.postgres.errors import translated

HUB_LOCK: Final = 0x53696D70756C0003
PRESENCE: Final = "simpul presence"


@contextmanager
def alone(url: str, what: str) -> Iterator[None]:
    """No hub runs on the database meanwhile, and none starts. CommandRefused while one does."""
    connection = connector(url, Limits())(PRESENCE)
    try:
        if not _locked(connection, "pg_try_advisory_lock"):
            raise CommandRefused(
                f"{what} needs the database for itself, but a hub is running on it. Stop it first, on every "
                "machine."
            )
        yield
    finally:
        # The server notices a closed connection a moment later; who comes next must not be told "it runs".
        if connection.is_alive():
            connection.execute("SELECT pg_advisory_unlock_all()")
        connection.close()


def present(connect: Callable[[str], Connection]) -> Connection:
    """A connection that says, as long as it lives, that a hub runs. CommandRefused while a command has the
    database for itself."""
    connection = connect(PRESENCE)
    if not _locked(connection, "pg_try_advisory_lock_shared"):
        connection.close()
        raise CommandRefused("A rebuild, a restore or a move is under way on the database; wait for its end.")
    return connection


def _locked(connection: Connection, function: str) -> bool:
    with translated():
        row = connection.execute(f"SELECT {function}(?)", (HUB_LOCK,)).fetchone()
    return bool(row[0])
