"""`simpul move`: a whole SQLite hub carried to PostgreSQL, table by table, then compared row by row.

Everything is copied, projections too: a rebuild could neither give the registry's generations nor prove that
nothing changed on the way. Rows go in the order of their primary keys, so the greatest key that a target's
table holds says how far the copying came: that is known with the rows' own commit, and a second run goes on
from there. The SQLite file is marked before the first row leaves it, and the target until all are compared,
so that at no moment a hub can start on either, nor change the one while the other is half-filled."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from psycopg import conninfo

from hub.domain.events import NO_CHAIN, chain
from hub.errors import CommandRefused, RowRefused
from hub.store import tables
from hub.store.copying import Row, chunks_after, compare, described, last_key, walk
from hub.store.migrate import HEAD, Schema, migrate, schema_of
from hub.store.move_marks import DROP, KEEP, MOVED_TO, SELECT, UNDER_WAY, Mark, keep_mark, mark_of, opened
from hub.store.postgres import presence
from hub.store.postgres.connections import connector
from hub.store.postgres.dialect import POSTGRES
from hub.store.postgres.errors import translated
from hub.store.postgres.migrating import PATIENT

MOVER: Final = "simpul move"
FAREWELL_S: Final = 4.0
MOVED: Final = tuple(table for table in tables.metadata.sorted_tables if table is not tables.facts)
"""All but the facts, which go first and are few."""
SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
LOG_BY_STREAM: Final = "SELECT stream, sequence, position, header, sealed, chain FROM log ORDER BY 1, 2"

Said = Callable[[str, int], None]
"""Is told of progress: (table, rows that were copied so far)."""


@dataclass(slots=True)
class Moved:
    """What a move did. `rows` are per table, as compared; `copied` those that this run copied."""

    to: str
    rows: dict[str, int] = field(default_factory=dict)
    copied: int = 0
    streams: int = 0


def move(database: Path, url: str, said: Said) -> Moved:
    """The caller sees to it that no hub runs on the SQLite file. Raises CommandRefused: for a target that
    holds something else, for other schemas, and for the first row that differs afterwards."""
    moved = Moved(without_password(url))
    with _alone(url) as held, opened(database) as source, _connected(url) as target:
        mark = _begin(source, target, database, url, moved.to)
        for table in MOVED:
            moved.copied += _copy(source, target, table, said)
        target.execute("ANALYZE")  # plans for what is there now, not for empty tables
        try:
            _verify(source, target, moved)
        except CommandRefused:
            keep_mark(source, replace(mark, move=secrets.token_hex(16)))  # what is there is not gone on from
            raise
        held.still()
        keep_mark(source, replace(mark, finished=True))
        target.execute(DROP, (UNDER_WAY,))
    return moved


def without_password(url: str) -> str:
    """A URL that may be shown and kept."""
    with translated():
        parts = conninfo.conninfo_to_dict(url)
    hosts = [_host(name) for name in str(parts.get("host") or "localhost").split(",")]
    ports = [port or "5432" for port in str(parts.get("port") or "").split(",")]
    ports += ports[-1:] * (len(hosts) - len(ports))
    user = f"{parts['user']}@" if parts.get("user") else ""
    places = ",".join(f"{host}:{port}" for host, port in zip(hosts, ports, strict=False))
    return f"postgresql://{user}{places}/{parts.get('dbname') or ''}"


def _host(name: str) -> str:
    """As it stands in a URL: an IPv6 address in brackets, a socket's folder quoted."""
    return f"[{name}]" if ":" in name else quote(name, safe="")


@contextmanager
def _alone(url: str) -> Iterator[presence.Alone]:
    """Tried for a moment: the server needs one to see that a move that was just killed is gone, and until
    then it holds that one's lock."""
    with ExitStack() as stack:
        until = time.monotonic() + FAREWELL_S
        while True:
            try:
                held = stack.enter_context(presence.alone(url, "move"))
                break
            except CommandRefused:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield held


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    connection = connector(url, PATIENT)(MOVER)
    try:
        with translated():
            yield connection
    finally:
        connection.close()


@contextmanager
def _transaction(connection: Any, begin: str = "BEGIN") -> Iterator[None]:
    """Commits when the block ends well. May take its time: nobody else is on the database."""
    connection.execute(begin)
    try:
        for statement in POSTGRES.patience:
            connection.execute(statement)
        yield
    except BaseException:
        if connection.is_alive():
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


# --- beginning, or going on -------------------------------------------------------------------------------


def _begin(source: Any, target: Any, database: Path, url: str, to: str) -> Mark:
    """The marks on both sides, and the facts: the same hub goes on, under its own incarnation."""
    schema = _schema(schema_of(database), url)
    mark = mark_of(source)
    facts = dict(source.execute("SELECT name, value FROM facts"))
    facts.pop(MOVED_TO, None)
    move = _under_way(target, facts["incarnation"]) if schema else None
    if mark is not None and mark.finished and mark.move != move:
        raise CommandRefused(
            f"This hub was moved to {mark.to} already, and that move is finished. If it shall be moved again "
            "from here, without what came in there since, run `simpul move --undo` first."
        )
    migrate(url)
    mark = mark or Mark(secrets.token_hex(16), to)
    keep_mark(source, replace(mark, to=to))
    with _transaction(target):
        if move is not None and move != mark.move:
            names = ", ".join(table.name for table in MOVED)
            target.execute(f"TRUNCATE {names}")  # the file may have changed since that move was given up
        target.execute("DELETE FROM facts")
        for name, value in (facts | {UNDER_WAY: mark.move}).items():
            target.execute(KEEP, (name, value))
    return replace(mark, to=to)


def _schema(source: Schema | None, url: str) -> Schema | None:
    """The target's, None for an empty one. Rows are carried as they are, so both must be of one revision."""
    target = schema_of(url)
    if source is None:
        raise CommandRefused("The SQLite database has no tables: there is no hub to move.")
    if target is not None and target.revision != source.revision:
        raise CommandRefused(
            f"The SQLite database has the schema {source.revision}, the target {target.revision}: run "
            "`simpul migrate` on the older one, with this version of simpul, then move."
        )
    if source.revision != HEAD:
        raise CommandRefused(
            f"The SQLite database has the schema {source.revision}, a new target gets {HEAD}: run "
            "`simpul migrate` first."
        )
    return target


def _under_way(target: Any, incarnation: str) -> str | None:
    """The name of the half-done move that the target holds; None for one without a single row. CommandRefused
    for everything else."""
    row = target.execute(SELECT, (UNDER_WAY,)).fetchone()
    theirs = (target.execute(SELECT, ("incarnation",)).fetchone() or ("none",))[0]
    if row is not None and theirs == incarnation:
        return str(row[0])
    filled = row is not None or any(last_key(target, table) is not None for table in MOVED)
    if filled and theirs == incarnation:
        raise CommandRefused(
            "This hub lives in the target already: set SIMPUL_DATABASE_URL to it. Nothing was changed."
        )
    if filled:
        raise CommandRefused(
            f"The target holds another hub's data (its incarnation is {theirs}, this hub's {incarnation}). "
            "Nothing was changed. Give the move an empty database, which needs no `simpul migrate` before."
        )
    return None


# --- copying ----------------------------------------------------------------------------------------------


def _copy(source: Any, target: Any, table: Any, said: Said) -> int:
    """The rows that the target's table lacks, chunk by chunk, each committed; how many."""
    insert, copied = POSTGRES.insert(table, ""), 0
    for chunk in chunks_after(source, table, last_key(target, table)):
        try:
            with _transaction(target), translated():
                insert.run(target, chunk)
        except RowRefused as refused:
            raise CommandRefused(_culprit(target, table, chunk) or f"{table.name}: {refused}") from refused
        copied += len(chunk)
        said(table.name, copied)
    return copied


def _culprit(target: Any, table: Any, chunk: Sequence[Row]) -> str | None:
    """The first row of a chunk that the target refuses by itself, and why."""
    insert = POSTGRES.insert(table, "")
    for row in chunk:
        target.execute("BEGIN")
        try:
            with translated():
                insert.run(target, [row])
        except RowRefused as refused:
            return (
                f"{table.name}: PostgreSQL does not take the row {described(table, row)} ({refused}). The "
                "move is not finished; mend the row, which needs `simpul move --undo` first, and move again."
            )
        finally:
            target.execute("ROLLBACK")
    return None


# --- verifying --------------------------------------------------------------------------------------------


def _verify(source: sqlite3.Connection, target: Any, moved: Moved) -> None:
    """Every column of every row on both sides, each in one new snapshot, and the log's own hashes."""
    source.execute("BEGIN")
    try:
        with _transaction(target, SNAPSHOT):
            for table in (tables.facts, *MOVED):
                unlike = (MOVED_TO, UNDER_WAY) if table is tables.facts else ()
                count, difference = compare(source, target, table, unlike)
                moved.rows[str(table.name)] = count  # SQLAlchemy's own kind of str is no key of JSON
                if difference:
                    raise CommandRefused(_not_the_same(difference))
            moved.streams = verify_streams(target)
    finally:
        source.rollback()


def _not_the_same(difference: str) -> str:
    return (
        f"The target is not the same as the SQLite database. {difference}. The move is not finished, and no "
        "hub starts on either. Run `simpul move --to` it again, which copies everything anew, or stay here "
        "with `simpul move --undo`."
    )


def verify_streams(connection: Any) -> int:
    """The number of streams; CommandRefused at the first gap or broken hash. Stream by stream over the unique
    index, so that only one hash is in memory at a time."""
    streams, current, number, previous = 0, None, 0, NO_CHAIN
    for stream, sequence, position, header, sealed, link in walk(connection, LOG_BY_STREAM):
        if stream != current:
            streams, current, number, previous = streams + 1, stream, 0, NO_CHAIN
        if sequence != number + 1 or chain(previous, header, sealed) != link:
            raise CommandRefused(
                f"The log is not whole: in the stream {stream}, number {sequence} at position {position} "
                "does not follow from what stands before it. It was so before the move; restore a backup."
            )
        number, previous = sequence, link
    return streams
