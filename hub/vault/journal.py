"""A file beside the master key that is only ever appended to: one JSON object a line, synced.

Several processes may append at once; each call writes whole lines under a lock that dies with its process. A
line that a kill left without its end is no line."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from hub.errors import StoreUnavailable
from hub.vault.master_key import sync_folder


class JournalFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, documents: Sequence[dict[str, Any]]) -> None:
        """On the disk when it returns; StoreUnavailable when it cannot be."""
        data = b"".join(orjson.dumps(document) + b"\n" for document in documents)
        try:
            is_new = not self.path.exists()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                size = os.fstat(handle).st_size
                torn = size and os.pread(handle, 1, size - 1) != b"\n"
                _write(handle, b"\n" + data if torn else data)
                os.fsync(handle)
            finally:
                os.close(handle)
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise self._away(error) from error

    def documents(self) -> list[tuple[int, Any]]:
        """Each line's number, from 1, and what it holds; None for what a kill cut off."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._away(error) from error
        lines = enumerate(data.split(b"\n"), 1)
        return [(number, _parsed(line)) for number, line in lines if line.strip()]

    def _away(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self.path}: cannot be written or read ({error.strerror or error}).")


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
