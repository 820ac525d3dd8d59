"""A backup: one tar file with the database (log, keys, vault, clients, accounts; no projections, no sessions)
and the attachments, which are encrypted already. The master key is never in it."""

from __future__ import annotations

import os
import secrets
import sqlite3
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from hub.errors import CommandRefused
from hub.store.copying import KEPT, copy_rows
from hub.store.leftovers import BACKUP, hold, sweep, sweep_parts, working_folder
from hub.store.migrate import HEAD, migrate
from hub.store.projections import empty
from hub.store.sqlite.dialect import SQLITE
from hub.store.sqlite.presence import SUFFIX
from hub.store.sqlite.store import SqliteStore
from hub.store.tables import ENDED

if TYPE_CHECKING:
    from hub.store.engines import AnyStore

DATABASE: Final = "simpul.db"
ATTACHMENTS: Final = "attachments"
INCOMING: Final = "incoming"
"""The attachments' folder of uploads that are under way: nothing that a backup could use."""

UNREADABLE: Final = (
    tarfile.TarError,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
"""What gzip and tarfile raise over a file that is no archive or a damaged one. From ValueError on it is not
documented; headers with numbers that are none, or with thousands of headers before them, lead there."""


def refuse_target(file: Path, database: Path, data: Path, others: Iterable[Path] = ()) -> None:
    """CommandRefused for a target that the hub itself lives from: its database, anything in the attachments,
    `others` such as the master key, by whatever name or link, and anything in the data folder that is no
    former backup."""
    if file.exists() and not file.is_file():
        raise CommandRefused(f"{file}: is no regular file; a backup can only become one.")
    real = file.resolve()
    own = [
        database.with_name(database.name + suffix)
        for suffix in ("", "-wal", "-shm", "-stamp", "-hub", SUFFIX)
    ]
    own += [data / "jwks.json", data / "hub.lock", data / "master.key", *others]
    is_own = any(real == path.resolve() or _same(file, path) for path in own)
    inside = {data.resolve(), database.parent.resolve()} & set(real.parents)
    beneath = (data / ATTACHMENTS).resolve() in real.parents or real == (data / ATTACHMENTS).resolve()
    if is_own or beneath or (inside and file.exists() and not is_backup(file)):
        raise CommandRefused(
            f"{file}: belongs to the hub's own data and would be lost; choose another file for the backup."
        )


def is_backup(file: Path) -> bool:
    """Whether it begins as `write_backup` begins."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            first = tar.next()
            return first is not None and first.name == DATABASE
    except UNREADABLE:
        return False


def write_backup(store: AnyStore, attachments: Path, file: Path) -> dict[str, Any]:
    """A consistent copy while the hub runs; written aside, synced, then renamed. Mode 0600."""
    sweep(attachments.parent)
    sweep_parts(file)
    with working_folder(BACKUP, attachments.parent) as folder:
        copy = folder / DATABASE
        events = _copy_file(store, copy) if isinstance(store, SqliteStore) else _copy_rows(store, copy)
        with _written_aside(file) as out, tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
            tar.add(copy, DATABASE)
            _add_attachments(tar, attachments)
    return {"file": str(file), "events": events, "bytes": file.stat().st_size, "revision": HEAD}


@contextmanager
def _written_aside(file: Path) -> Iterator[IO[bytes]]:
    """A new file beside `file`, which takes its name when the block ends well, and goes when it does not.
    Held until then."""
    try:
        aside, descriptor = _new_part(file)
        try:
            with os.fdopen(descriptor, "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
                aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise CommandRefused(f"{file}: cannot be written ({error.strerror or error}).") from error


def _new_part(file: Path) -> tuple[Path, int]:
    while True:
        aside = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        if hold(descriptor, aside):
            return aside, descriptor
        os.close(descriptor)


def _add_attachments(tar: tarfile.TarFile, attachments: Path) -> None:
    """What is stored by now. One that is deleted meanwhile, since nothing needs it any more, is left out."""
    for path in sorted(attachments.glob("*/*")):
        if path.parent.name == INCOMING or path.suffix == ".part":
            continue
        try:
            content = path.open("rb")
        except FileNotFoundError:
            continue
        with content:
            name = f"{ATTACHMENTS}/{path.parent.name}/{path.name}"
            tar.addfile(tar.gettarinfo(arcname=name, fileobj=content), content)


def _copy_file(store: SqliteStore, copy: Path) -> int:
    with store.connection() as source:
        target = sqlite3.connect(copy, isolation_level=None)
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
            target.execute("BEGIN")
            empty(target)
            for table in ENDED:
                target.execute(f"DELETE FROM {table.name}")  # noqa: S608  # our own table names
            target.execute("COMMIT")
            target.execute("VACUUM")
            return _events(target)
        finally:
            target.close()


def _copy_rows(store: AnyStore, copy: Path) -> int:
    """The same file, filled from another engine, in one snapshot."""
    migrate(copy)
    with store.connection() as source:
        target = sqlite3.connect(copy, isolation_level=None)
        try:
            target.execute("BEGIN")
            for name in ("facts", "leases"):
                target.execute(f"DELETE FROM {name}")  # noqa: S608
            for table in KEPT:
                copy_rows(source, target, SQLITE, table)
            target.execute("COMMIT")
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
            return _events(target)
        finally:
            target.close()


def _events(copy: sqlite3.Connection) -> int:
    """How many there are; CommandRefused where one is missing: no restore would take that file."""
    events, last = copy.execute("SELECT count(*), coalesce(max(position), 0) FROM log").fetchone()
    if events != last:
        gap = copy.execute(
            "SELECT min(number) FROM "
            "(SELECT row_number() OVER (ORDER BY position) AS number, position FROM log) "
            "WHERE number <> position"
        ).fetchone()[0]
        raise CommandRefused(
            f"The log has a gap: {last - events} events are missing, the first at position {gap}, and a "
            "backup of it could not be restored. Nothing was written. Keep the backups that you have, stop "
            "the hub, copy the database with its own means (SQLite: the file; PostgreSQL: pg_dump), and "
            "restore the newest backup."
        )
    return int(events)


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, such as by a hard link."""
    return one.exists() and other.exists() and one.samefile(other)
