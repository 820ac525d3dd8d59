"""The connector's durable memory between app and hub: one SQLite file, mode 0600, one process at a time.

What is personal stands here only until it is acknowledged: content is deleted (secure_delete) and the
write-ahead log truncated. Hashes that could be guessed are keyed; the key lies in a file beside it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import os
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from connectors.errors import ConfigRefused, ConnectorError, SpoolFailed, SpoolInUse
from connectors.spool_tables import all_or_nothing, prepare

UNUSABLE = (OSError, ValueError, sqlite3.DatabaseError)
_PLACE = (
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.ENAMETOOLONG,
    errno.ELOOP,
)  # fmt: skip


class Spool:
    """The open file: transactions, cursors and keyed hashes. Every write is synced before it returns.

    A table is the matter of one module: complaints and lost of outbox.py, events of inbox.py, answers of
    replies.py, parts of parts.py, written of written.py, messages of shown.py, erasures of erased.py. What
    concerns several changes them in one commit, in the module that learns of it: an erasure (erased.py), a
    restore of the hub (inbox.py). remapping.py writes complaints too; others only read."""

    def __init__(self, connection: sqlite3.Connection, key: bytes, lock: int | None) -> None:
        self.connection = connection
        self._key = key
        self._lock = lock
        self.moved: Counter[str] = Counter()
        """What ended well since this process began, for its log line a minute."""

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nests into the one that is already open."""
        if self.connection.in_transaction:
            yield self.connection
            return
        with all_or_nothing(self.connection):
            yield self.connection

    def keyed_hash(self, content: bytes) -> bytes:
        """HMAC-SHA256 under this spool's own key: equal for equal content, and no test for a guess."""
        return hmac.digest(self._key, content, hashlib.sha256)

    def get(self, name: str, default: str = "") -> str:
        """A cursor or another small fact."""
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def put(self, name: str, value: str) -> None:
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    def forget_freed(self) -> bool:
        """Truncates the write-ahead log, so that deleted content is in no file any more; False while another
        process (`check`) reads in it."""
        busy = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        return not busy

    def close(self) -> None:
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)


def open_spool(path: Path) -> Spool:
    """Opens or makes the spool for `run`; raises SpoolInUse when another process works with it.

    The lock is the kernel's (flock) and dies with the process, however it dies."""
    try:
        _check_place(path)
        return _open(path)
    except UNUSABLE as error:
        raise unusable(path, error) from error


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise ConfigRefused("spool", f"the folder {path.parent} does not exist", "make it, or name another")
    if path.is_dir():
        raise ConfigRefused(
            "spool", f"{path} is a folder", f"name a file, such as {path / 'connector.spool'}"
        )


def _open(path: Path) -> Spool:
    lock = _private(path.with_name(path.name + ".lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise SpoolInUse(
            f"another connector works with {path}; stop it first, or name another spool"
        ) from error
    os.close(_private(path))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    spool = Spool(connection, b"", lock)
    try:
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; "
            "PRAGMA busy_timeout = 5000;"
        )
        spool = Spool(connection, _key(path), lock)
        prepare(connection, str(path))
        spool.forget_freed()
    except BaseException:
        spool.close()
        raise
    return spool


def unusable(path: Path, error: Exception) -> ConnectorError:
    """What the operating system or SQLite said of the spool: ConfigRefused where only another place or other
    rights help, SpoolFailed where it may pass (a full disk)."""
    said = getattr(error, "strerror", None) or str(error)
    passing = (
        isinstance(error, sqlite3.OperationalError) or getattr(error, "errno", errno.EACCES) not in _PLACE
    )
    if passing:
        return SpoolFailed(f"the spool {path} cannot be used now ({said}); is the disk full?")
    remedy = "name a file in a folder that this user may write to"
    return ConfigRefused("spool", f"{path} cannot be used ({said})", remedy)


def read_spool(path: Path) -> Spool | None:
    """The spool for `check`: read-only, and None when there is none yet. Raises ConfigRefused where `run`
    could not use it."""
    _check_place(path)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise unusable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if not path.exists():
        return None
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    return Spool(connection, b"", None)


def join_spool(path: Path) -> Spool | None:
    """The spool for one short change beside a connector that runs; None when there is none yet."""
    if not path.exists():
        return None
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000;"
    )
    prepare(connection, str(path))
    return Spool(connection, b"", None)


def as_bytes(value: object) -> bytes:
    """One spelling for equal values, to be hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)


def _private(path: Path) -> int:
    """A descriptor of a file that only its owner may read; an existing one is narrowed to that."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _key(path: Path) -> bytes:
    """32 random bytes beside the spool. If they are lost, every row counts as changed once; nothing that was
    sent is sent again, for that goes by reference."""
    key_path = path.with_name(path.name + ".key")
    key = key_path.read_bytes() if key_path.exists() else b""
    if len(key) != 32:
        key = secrets.token_bytes(32)
        descriptor = _private(key_path)
        os.truncate(descriptor, 0)
        os.write(descriptor, key)
        os.fsync(descriptor)
        os.close(descriptor)
    return key
