"""A backup's file unpacked beside the database, and looked at before anything is made of it.

Python's own filters for what a tar file may hold came with 3.11.4; distributions ship older ones. What
`simpul backup` writes is two kinds of plain file, so whatever else a file holds is refused as no backup."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final

import structlog

from hub.errors import CommandRefused, StoreError
from hub.store.backups import ATTACHMENTS, DATABASE, UNREADABLE
from hub.store.migrate import HEAD, migrate

log = structlog.get_logger(__name__)

MEMBER: Final = re.compile(rf"{re.escape(DATABASE)}|{re.escape(ATTACHMENTS)}/[^/\\\0]+/[^/\\\0]+")
"""The database, or an attachment in its folder."""
ABOVE: Final = frozenset({".", ".."})
CHUNK: Final = 1 << 20
ACTING: Final = (
    "SELECT type, name FROM sqlite_master "
    "WHERE type NOT IN ('table', 'index') OR (type = 'table' AND coalesce(rootpage, 0) = 0)"
)
"""Triggers, views and virtual tables do something by themselves when they are written to or read; Simpul
makes none."""
TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
"""But for SQLite's own, such as the statistics of ANALYZE."""
MADE: Final = "SELECT type, name FROM sqlite_master WHERE substr(name, 1, 7) <> 'sqlite_'"
COLUMNS: Final = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)'
INDEXES: Final = 'SELECT name, "unique", origin, partial FROM pragma_index_list(?)'
INDEXED: Final = 'SELECT seqno, name, "desc", coll FROM pragma_index_xinfo(?) WHERE key'
NUMBER: Final = re.compile(r"[0-9]{1,18}")


def unpack(file: Path, root: Path) -> Path:
    """Where the backup's database lies now, below `root`; its attachments lie beside it. CommandRefused for
    what is no backup, a damaged one, one of a newer Simpul, or one for which there is no room."""
    try:
        with gzip.open(file) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if _is_ours(member) else None
                if content is None:
                    raise CommandRefused(
                        f"{file}: holds {member.name[:80]!r}, which no backup of `simpul backup` does."
                    )
                with content:
                    _write(content, root / member.name)
            _read_to_the_end(stream)
    except UNREADABLE as error:
        raise CommandRefused(f"{file}: cannot be read as a backup ({error}).") from error
    _check(file, root / DATABASE)
    return root / DATABASE


def bring_up_to_date(file: Path, unpacked: Path) -> None:
    """Migrates the database that was unpacked. What somebody had put into it beside Simpul's tables is left
    out; CommandRefused unless those then are as this program makes them. Their texts may differ by the way
    they came there, so what SQLite reads from them is compared."""
    fresh = unpacked.with_name("fresh.db")
    migrate(fresh)
    try:
        migrate(unpacked)
        _leave_out_foreign(unpacked, fresh)
        found, made = _shape(unpacked), _shape(fresh)
        wrong = next((name for name in sorted(found | made) if found.get(name) != made.get(name)), None)
        if wrong is None and not _has_facts(unpacked):
            wrong = "facts"
    except (StoreError, sqlite3.DatabaseError, LookupError, TypeError, ValueError) as error:
        # the last three: rows that a migration goes through and cannot read
        raise CommandRefused(f"{file}: its database cannot be brought up to date ({error}).") from error
    if wrong is not None:
        raise CommandRefused(
            f"{file}: its database is not as Simpul makes it; the first difference is in the table "
            f"{wrong[:80]!r}."
        )


def _leave_out_foreign(database: Path, fresh: Path) -> None:
    """Tables and indexes of somebody else's, such as an administrator's own index."""
    with closing(sqlite3.connect(database)) as connection, closing(sqlite3.connect(fresh)) as pattern:
        known = set(pattern.execute(MADE).fetchall())
        for kind, name in sorted(set(connection.execute(MADE).fetchall()) - known):
            _leave_out(connection, kind, name)


def _leave_out(connection: sqlite3.Connection, kind: str, name: str) -> None:
    """A restore is no moment to refuse for it: whoever needs it puts it there again."""
    quoted = name.replace('"', '""')
    connection.execute(f'DROP {kind.upper()} IF EXISTS "{quoted}"')
    log.warning("foreign_schema_left_out", kind=kind, name=name[:80])


def _is_ours(member: tarfile.TarInfo) -> bool:
    """No link, no device, no holes, and no name that leads out of the folder it is unpacked into."""
    return (
        member.isreg()
        and not member.issparse()
        and bool(MEMBER.fullmatch(member.name))
        and ABOVE.isdisjoint(member.name.split("/"))
    )


def _write(content: IO[bytes], target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        shutil.copyfileobj(content, out, CHUNK)


def _read_to_the_end(stream: gzip.GzipFile) -> None:
    """Only there gzip compares its checksum. To tarfile a damaged header is the end as well, and so is a
    cut: behind the true one there are zeros."""
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if chunk.count(0) < len(chunk):
            raise tarfile.ReadError("there is more after its end")
    if size < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("it was cut off")


def _check(file: Path, restored: Path) -> None:
    """Before anything is written to it: that would set off its triggers."""
    if not restored.is_file():
        raise CommandRefused(f"{file}: holds no database; it is not a backup that `simpul backup` wrote.")
    try:
        with closing(sqlite3.connect(restored)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF").fetchall()
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            for kind, name in connection.execute(ACTING).fetchall() if verdict == "ok" else ():
                _leave_out(connection, kind, name)
            revisions = connection.execute("SELECT version_num FROM alembic_version LIMIT 2").fetchall()
    except sqlite3.DatabaseError as error:
        raise CommandRefused(f"{file}: its database is damaged ({error}).") from error
    if verdict != "ok":
        raise CommandRefused(f"{file}: its database is damaged ({verdict}).")
    _check_revision(file, revisions)


def _check_revision(file: Path, found: list[tuple[Any]]) -> None:
    if len(found) != 1 or not isinstance(found[0][0], str):
        raise CommandRefused(
            f"{file}: its database does not say which schema it has (one text in the table alembic_version)."
        )
    revision = found[0][0]
    if revision > HEAD:
        raise CommandRefused(f"{file}: was written by a newer Simpul (schema {revision[:80]}, here {HEAD}).")


def _shape(database: Path) -> dict[str, Any]:
    """Of each table its columns and its indexes, in no order: a column that came later stands last."""
    with closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute(TABLES).fetchall()]
        return {
            name: (set(connection.execute(COLUMNS, (name,))), _indexes(connection, name)) for name in names
        }


def _indexes(connection: sqlite3.Connection, table: str) -> set[Any]:
    """What SQLite made by itself for a key has a name of SQLite's."""
    found = connection.execute(INDEXES, (table,)).fetchall()
    return {
        (name if origin == "c" else "", unique, partial, *connection.execute(INDEXED, (name,)))
        for name, unique, origin, partial in found
    }


def _has_facts(database: Path) -> bool:
    """Those that a migration puts there once, and that all else is built on."""
    with closing(sqlite3.connect(database)) as connection:
        facts = dict(connection.execute("SELECT name, value FROM facts").fetchall())
    generation = facts.get("registry_generation")
    return "incarnation" in facts and isinstance(generation, str) and bool(NUMBER.fullmatch(generation))
