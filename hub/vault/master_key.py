"""The master key file: the generations of the master key and the hub's own secret, in one small JSON file.

Written aside, synced, then given its name, under a lock that dies with its process: a reader sees a whole
file or none. The hub's secret (keyed hashes that must outlive rotations) lies in it as it is: wrapping it
under a key in the same file would protect nothing.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.ports.sealing import MasterKeyError

_FORMAT = "simpul-master-key/1"


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of the master key: 32 bytes; `retired_at` since a newer one took its place."""

    number: int
    key: bytes = field(repr=False)
    created_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the file holds. Generations rise; the last one is current, the others only open old wraps."""

    generations: tuple[Generation, ...]
    hub_secret: bytes = field(repr=False)

    @property
    def current(self) -> Generation:
        return self.generations[-1]


class MasterKeyFile:
    """The file at `path`. `ensure` for a hub without data yet, `load` for every other start: a hub whose
    database holds wrapped keys must never be given a new master key in silence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Keyring:
        """Raises MasterKeyError when it is missing, unreadable, malformed, or others may read it."""
        try:
            with self.path.open("rb") as file:
                self._refuse_unsafe(os.fstat(file.fileno()))
                return _parse(file.read(), self.path)
        except OSError as error:
            raise self._unreadable(error) from error

    def ensure(self, now: datetime) -> Keyring:
        """Loads the file, or makes it; of several processes that make it at once one wins, for all."""
        if not self.path.exists():
            self._create(now)
        return self.load()

    def rotate(self, now: datetime) -> Keyring:
        """Adds a generation, which is current at once; the one before stays until it is destroyed."""
        with self._locked():
            ring = self.load()
            retired = replace(ring.current, retired_at=now)
            fresh = Generation(retired.number + 1, secrets.token_bytes(32), now)
            ring = replace(ring, generations=(*ring.generations[:-1], retired, fresh))
            self._write(ring)
        return ring

    def destroy(self, retired_before: datetime) -> tuple[int, ...]:
        """Takes out the generations retired before that moment, and answers them. Only after every live
        key was rewrapped: what is still wrapped under them is lost."""
        with self._locked():
            ring = self.load()
            gone = tuple(g.number for g in ring.generations if g.retired_at and g.retired_at < retired_before)
            if gone:
                kept = tuple(g for g in ring.generations if g.number not in gone)
                self._write(replace(ring, generations=kept))
        return gone

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the file was replaced."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise self._unreadable(error) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _unreadable(self, error: OSError) -> MasterKeyError:
        if isinstance(error, FileNotFoundError):
            return MasterKeyError(
                f"There is no master key file at {self.path}. Put it back from where it is kept, or set "
                f"SIMPUL_MASTER_KEY_FILE to it; without it the data cannot be read."
            )
        return MasterKeyError(f"The master key file {self.path} cannot be read: {error.strerror}.")

    def _refuse_unsafe(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise MasterKeyError(f"The master key file {self.path} is not a regular file.")
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            raise MasterKeyError(
                f"The master key file {self.path} may be read by other users (mode {mode:04o}). "
                f"Run: chmod 600 {self.path}"
            )

    def _create(self, now: datetime) -> None:
        with self._locked():
            if not self.path.exists():
                first = Generation(1, secrets.token_bytes(32), now)
                self._write(Keyring((first,), secrets.token_bytes(32)))

    def _write(self, ring: Keyring) -> None:
        """Aside under one fixed name, ours by the lock: a killed writer's leftover is overwritten."""
        aside = self.path.with_name(self.path.name + ".new")
        try:
            aside.unlink(missing_ok=True)
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(_render(ring))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise MasterKeyError(
                f"The master key file {self.path} cannot be written: {error.strerror}."
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise MasterKeyError(
                f"The folder of the master key file {self.path} cannot be written: {error.strerror}."
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _render(ring: Keyring) -> bytes:
    document = {
        "format": _FORMAT,
        "warning": "Whoever has this file and the database reads everything. Keep a copy apart from backups.",
        "hub_secret": base64.b64encode(ring.hub_secret).decode(),
        "generations": [_render_generation(g) for g in ring.generations],
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _render_generation(generation: Generation) -> dict[str, Any]:
    row: dict[str, Any] = {
        "generation": generation.number,
        "key": base64.b64encode(generation.key).decode(),
        "created_at": generation.created_at.isoformat(),
    }
    if generation.retired_at:
        row["retired_at"] = generation.retired_at.isoformat()
    return row


def _parse(text: bytes, path: Path) -> Keyring:
    try:
        document = json.loads(text)
        if document["format"] != _FORMAT:
            raise ValueError("format")
        generations = tuple(_parse_generation(row) for row in document["generations"])
        numbers = [g.number for g in generations]
        if not numbers or numbers != sorted(set(numbers)):
            raise ValueError("generations")
        return Keyring(generations, _key(document["hub_secret"]))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise MasterKeyError(
            f"The master key file {path} is not what the hub wrote (at: {error}). "
            f"Put it back from where it is kept."
        ) from None


def _parse_generation(row: dict[str, Any]) -> Generation:
    retired = row.get("retired_at")
    return Generation(
        int(row["generation"]),
        _key(row["key"]),
        datetime.fromisoformat(row["created_at"]),
        datetime.fromisoformat(retired) if retired else None,
    )


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != 32:
        raise ValueError("a key of another length than 32 bytes")
    return key
