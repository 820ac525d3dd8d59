"""The marks of a move, so that a hub never lives in two databases: the fact `moved_to` in the SQLite file,
the fact `move_under_way` in the PostgreSQL database until every row there is verified."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from hub.errors import CommandRefused
from hub.store.migrate import TABLES_THERE
from hub.store.restored import note_restored
from hub.store.sqlite.errors import translated
from hub.store.sqlite.store import connect

MOVED_TO: Final = "moved_to"
UNDER_WAY: Final = "move_under_way"
SELECT: Final = "SELECT value FROM facts WHERE name = ?"
KEEP: Final = (
    "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
DROP: Final = "DELETE FROM facts WHERE name = ?"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the SQLite file knows of its move. `move` is the move's own name, which the target has too: as
    long as it stands in both, nothing can have changed the file since the copying began."""

    move: str
    to: str
    """The target's URL without its password."""
    finished: bool = False


@contextmanager
def opened(database: Path) -> Iterator[Any]:
    """A connection of its own, with the errors translated."""
    with translated(), closing(connect(database)) as connection:
        yield connection


def mark_of(connection: Any) -> Mark | None:
    row = connection.execute(SELECT, (MOVED_TO,)).fetchone()
    return Mark(**orjson.loads(row[0])) if row else None


def keep_mark(connection: Any, mark: Mark) -> None:
    """Committed when it returns: the connection is in autocommit mode."""
    connection.execute(KEEP, (MOVED_TO, orjson.dumps(asdict(mark)).decode()))


def refuse_moved(database: Path) -> None:
    """CommandRefused for a SQLite hub that was moved away, or is being moved, with both ways on."""
    if not database.exists():
        return
    with opened(database) as connection:
        try:
            mark = mark_of(connection)
        except sqlite3.OperationalError as error:
            if TABLES_THERE not in str(error):
                raise
            return  # a file without tables yet
    if mark is None:
        return
    if mark.finished:
        raise CommandRefused(
            f"This hub was moved to {mark.to}: set SIMPUL_DATABASE_URL to it. {database} is as it was before "
            "and lacks what came in there since; if the hub shall go on here nevertheless, stop it there and "
            "run `simpul move --undo`."
        )
    raise CommandRefused(
        f"A move of this hub to {mark.to} was begun and is not finished: run `simpul move --to` that "
        "database again, which goes on where it stopped, or `simpul move --undo` to stay here."
    )


def refuse_under_way(connection: Any) -> None:
    """CommandRefused for a PostgreSQL database with tables into which a hub is still being moved."""
    row = connection.execute(SELECT, (UNDER_WAY,)).fetchone()
    if row:
        raise CommandRefused(
            "A move into this database is not finished, so it may lack rows. Run `simpul move --to` it again "
            "with the settings of the SQLite hub; it goes on where it stopped."
        )


def undo(database: Path) -> Mark | None:
    """Takes the mark away, so that the hub can go on in the SQLite file; the mark, None if there was none.
    After a finished move the hub may have lived elsewhere meanwhile, so it goes on as after a restore: under
    a new incarnation, so that nobody mistakes its next events for those; and what was erased there is erased
    again here."""
    if not database.exists():
        return None
    with opened(database) as connection:
        connection.execute("BEGIN IMMEDIATE")
        mark = mark_of(connection)
        if mark is not None and mark.finished:
            connection.execute(KEEP, ("incarnation", secrets.token_hex(16)))
            note_restored(connection)
        connection.execute(DROP, (MOVED_TO,))
        connection.execute("COMMIT")
    return mark
