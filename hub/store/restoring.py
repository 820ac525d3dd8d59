"""A restore in two steps, so that a kill at any moment leaves either the old data or the restored ones.

Everything is prepared beside the database: unpacked, migrated, rebuilt, under its new incarnation. The
finished file is then renamed to `<database>.restored`: from then on the restore holds, and what is left of it
are renames, which whoever opens the database next finishes."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from hub.errors import CommandRefused
from hub.ports.attachments import SEALED_BEGINS, could_be_stored
from hub.store import leftovers
from hub.store.backups import ATTACHMENTS
from hub.store.rebuilding import Fold, rebuild_in_place
from hub.store.restored import note_restored
from hub.store.sqlite.errors import translated
from hub.store.sqlite.store import SqliteStore
from hub.store.unpacking import bring_up_to_date, unpack

log = structlog.get_logger(__name__)

PREFIX: Final = leftovers.RESTORE
"""Of the folders that restores unpack into."""
CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: events in the log, the new incarnation, where the old database lies now."""

    events: int
    incarnation: str
    replaced: Path | None


def restore(file: Path, database: Path, attachments: Path, fold: Fold) -> Restored:
    """Puts the backup in the database's place; CommandRefused, with nothing changed, when it cannot be used.
    The caller sees to it that no hub runs."""
    finish(database)
    sweep(database.parent)
    with leftovers.working_folder(PREFIX, database.parent) as root:
        aside = unpack(file, root)
        bring_up_to_date(file, aside)
        events, incarnation = _prepare(aside, fold)
        add_attachments(root / ATTACHMENTS, attachments)
        aside.rename(_waiting(database))
        _sync(database.parent)
    return Restored(events, incarnation, finish(database))


def finish(database: Path) -> Path | None:
    """The renames that a prepared restore still needs, if one waits; where the replaced database lies now.
    Of several processes one does it, and the others wait for it."""
    waiting = _waiting(database)
    if not waiting.exists():
        return None
    with _one_at_a_time(database.parent):
        if not waiting.exists():
            return None
        if database.exists():
            _set_aside(database)
        kept = _newest_kept(database)
        _move_log(database, kept)
        waiting.rename(database)
        _sync(database.parent)
        return kept


def refuse_half_done(database: Path) -> None:
    """CommandRefused when the database is gone but one that a restore replaced is there: an empty hub in its
    place would look like a loss."""
    if not database.exists() and (kept := _newest_kept(database)) is not None:
        raise CommandRefused(
            f"There is no database {database}, but {kept.name} lies beside it: a restore was cut off. Run "
            f"`simpul restore` again, or give {kept.name} its old name {database.name} back."
        )


def _waiting(database: Path) -> Path:
    return database.with_name(database.name + ".restored")


def _prepare(aside: Path, fold: Fold) -> tuple[int, str]:
    """Tables made anew from the log, and an incarnation that nobody has seen; all in the one file, synced."""
    aside.chmod(0o600)
    store = SqliteStore(aside)
    try:
        events = rebuild_in_place(store, fold)
        incarnation = _renew_incarnation(store)
    finally:
        store.close()
    with translated():
        connection = sqlite3.connect(aside)
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()  # no second file to move with it
        finally:
            connection.close()
    _sync(aside)
    return events, incarnation


def _renew_incarnation(store: SqliteStore) -> str:
    """Nobody may mistake the events that follow for those that were lost."""
    incarnation = secrets.token_hex(16)
    with store.writing() as connection:
        connection.execute("UPDATE facts SET value = ? WHERE name = 'incarnation'", (incarnation,))
        note_restored(connection)
    return incarnation


def add_attachments(source: Path, target: Path) -> None:
    """To those that are there, each whole or not at all. Their names follow from their content, but what lies
    there may be damaged, so the content is compared. What is damaged in the backup itself, as far as that can
    be told without keys, takes the place of none that is there."""
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        place = target / path.relative_to(source)
        is_damaged = not _could_be_stored(path)
        if is_damaged:
            log.warning("attachment_damaged", name=path.name)
        if place.exists() and (is_damaged or _same_content(path, place)):
            continue
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = place.with_name(place.name + ".part")
        shutil.copyfile(path, aside)
        aside.chmod(0o600)
        _sync(aside)
        aside.replace(place)
        _sync(place.parent)


def _could_be_stored(path: Path) -> bool:
    with path.open("rb") as content:
        return could_be_stored(path.stat().st_size, content.read(len(SEALED_BEGINS)))


def _same_content(path: Path, place: Path) -> bool:
    """False also where the disk does not give the one in place any more."""
    if path.stat().st_size != place.stat().st_size:
        return False
    try:
        with path.open("rb") as one, place.open("rb") as other:
            while chunk := one.read(CHUNK):
                if chunk != other.read(CHUNK):
                    return False
    except OSError as error:
        log.warning("attachment_unreadable", name=path.name, cause=error.strerror)
        return False
    return True


def _set_aside(database: Path) -> None:
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.DatabaseError as error:  # a damaged one is often why there is a restore
        log.warning("replaced_database_damaged", path=str(database), cause=str(error))
    finally:
        connection.close()
    database.rename(database.with_name(f"{database.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"))
    _sync(database.parent)


def _move_log(database: Path, kept: Path | None) -> None:
    """What the old database still had in its write-ahead log goes with it; the new one must never see it."""
    wal = database.with_name(database.name + "-wal")
    if wal.exists() and kept is not None:
        wal.rename(kept.with_name(kept.name + "-wal"))
    for suffix in ("-wal", "-shm", "-journal"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _newest_kept(database: Path) -> Path | None:
    found = database.parent.glob(f"{database.name}.replaced-*")
    return max((path for path in found if not path.name.endswith(("-wal", "-shm"))), default=None)


def sweep(folder: Path) -> None:
    """What a killed restore unpacked and never used. The caller is the one restore there is, so one without
    a lock is nobody's."""
    leftovers.sweep(folder)
    for left in folder.glob(f"{PREFIX}*"):
        if left.is_dir() and not left.is_symlink() and not (left / leftovers.HELD).exists():
            shutil.rmtree(left)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Holds a lock on the folder itself; the kernel lets go of it when the process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
