"""A backup: one tar file with the database (log, keys, vault, clients; no projections) and the attachments,
which are encrypted already. The master key is never in it."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.errors import CommandRefused
from hub.store.migrate import HEAD
from hub.store.projections import empty
from hub.store.sqlite import SqliteStore

DATABASE: Final = "simpul.db"
ATTACHMENTS: Final = "attachments"


def write_backup(store: SqliteStore, attachments: Path, file: Path) -> dict[str, Any]:
    """A consistent copy while the hub runs; written aside, synced, then renamed. Mode 0600."""
    aside = file.with_name(file.name + ".part")
    with tempfile.TemporaryDirectory(prefix="backup-", dir=store.path.parent) as folder:
        copy = Path(folder) / DATABASE
        events = _copy_database(store, copy)
        descriptor = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
                tar.add(copy, DATABASE)
                if attachments.is_dir():
                    tar.add(attachments, ATTACHMENTS)
            out.flush()
            os.fsync(out.fileno())
    aside.replace(file)
    return {"file": str(file), "events": events, "bytes": file.stat().st_size, "revision": HEAD}


def _copy_database(store: SqliteStore, copy: Path) -> int:
    with store.connection() as source:
        target = sqlite3.connect(copy, isolation_level=None)
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
            target.execute("BEGIN")
            empty(target)
            target.execute("COMMIT")
            target.execute("VACUUM")
            events: int = target.execute("SELECT count(*) FROM log").fetchone()[0]
            return events
        finally:
            target.close()


def unpack(file: Path, database: Path, attachments: Path) -> Path | None:
    """Puts the backup's database in place; the one that was there is renamed aside and its path given.
    Attachments are added to those that are there: their names follow from their content."""
    with tempfile.TemporaryDirectory(prefix="restore-", dir=database.parent) as folder:
        root = Path(folder)
        try:
            with tarfile.open(file, "r:gz") as tar:
                tar.extractall(root, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise CommandRefused(f"{file}: cannot be read as a backup ({error}).") from error
        restored = root / DATABASE
        _check(file, restored)
        kept = _set_aside(database)
        restored.chmod(0o600)
        restored.replace(database)
        if (root / ATTACHMENTS).is_dir():
            shutil.copytree(root / ATTACHMENTS, attachments, dirs_exist_ok=True)
        return kept


def _check(file: Path, restored: Path) -> None:
    if not restored.is_file():
        raise CommandRefused(f"{file}: holds no database; it is not a backup that `simpul backup` wrote.")
    connection = sqlite3.connect(restored)
    try:
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise CommandRefused(f"{file}: its database is damaged ({error}).") from error
    finally:
        connection.close()
    if verdict != "ok":
        raise CommandRefused(f"{file}: its database is damaged ({verdict}).")
    if revision > HEAD:
        raise CommandRefused(f"{file}: was written by a newer Simpul (schema {revision}, here {HEAD}).")


def _set_aside(database: Path) -> Path | None:
    if not database.exists():
        return None
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    kept = database.with_name(f"{database.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    database.rename(kept)
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    return kept


def put_back(kept: Path | None, database: Path) -> None:
    """Undoes `unpack`: a restore that failed leaves what was there."""
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    if kept is not None:
        kept.rename(database)


def renew_incarnation(store: SqliteStore) -> None:
    """Nobody may mistake the events that follow for those that were lost."""
    with store.writing() as connection:
        connection.execute("UPDATE facts SET value = ? WHERE name = 'incarnation'", (secrets.token_hex(16),))
