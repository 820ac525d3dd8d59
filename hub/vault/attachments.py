"""Attachments as encrypted files under `attachments/ab/<name>` in the data folder.

The name is a keyed digest of the content's sha256 and the file's key: it tells nothing about the content, and
the same photo sent twice lies there twice, each copy gone with its own key.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from hub.ports.attachments import FIRST_BYTES, AttachmentsUnavailable, FileMissing, FileTooLarge, StoredFile
from hub.ports.sealing import Sealing
from hub.vault.chunks import PIECE, PieceWriter, read_pieces
from hub.vault.master_key import sync_folder

_LOCATION = re.compile(r"[0-9a-f]{64}")
_NOT_NOW = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE}


class AttachmentStore:
    """The port `Attachments` on a folder, which is made with mode 0700. `wall_clock` answers Unix seconds."""

    def __init__(self, folder: Path, sealing: Sealing, wall_clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._sealing = sealing
        self._wall_clock = wall_clock

    def begin(self, max_bytes: int) -> FolderUpload:
        with _translated():
            for folder in (self._folder, self._incoming):  # `parents` would ignore the mode
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside = self._incoming / secrets.token_hex(16)
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            file = os.fdopen(handle, "wb", buffering=2 * PIECE)
        return FolderUpload(self, aside, file, self._sealing.new_file_key(), max_bytes)

    def put(self, chunks: Iterable[bytes], max_bytes: int) -> StoredFile:
        with self.begin(max_bytes) as upload:
            for chunk in chunks:
                upload.write(chunk)
            return upload.finish()

    def open(self, sha256: str, file_key: bytes) -> Iterator[bytes]:
        location = self.location(sha256, file_key)
        with _translated():
            try:
                file = self._path(location).open("rb")
            except FileNotFoundError as error:
                raise FileMissing(f"The file {sha256} is not stored here any more.") from error
        return read_pieces(file, file_key)

    def delete(self, location: str) -> bool:
        path = self._path(location)
        with _translated():
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            sync_folder(path.parent)
        return True

    def sweep(self, older_than_s: float) -> int:
        before = self._wall_clock() - older_than_s
        removed = 0
        with _translated():
            for path in self._incoming.glob("*"):
                if path.stat().st_mtime < before:
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def location(self, sha256: str, file_key: bytes) -> str:
        """Where that file lies, known only to who has its key."""
        return self._sealing.hub_digest("attachment-location", sha256.encode() + b"\0" + file_key).hex()

    def keep(self, aside: Path, location: str) -> None:
        """Gives a finished file its name, durably."""
        path = self._path(location)
        if not path.parent.is_dir():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self._folder)
        aside.replace(path)
        sync_folder(path.parent)

    def _path(self, location: str) -> Path:
        if not _LOCATION.fullmatch(location):
            raise ValueError(f"not a location of a stored file: {location!r}")
        return self._folder / location[:2] / location


class FolderUpload:
    """The port `Upload`: hashes, limits and encrypts while it is written to."""

    def __init__(
        self, store: AttachmentStore, aside: Path, file: BinaryIO, key: bytes, max_bytes: int
    ) -> None:
        self._store = store
        self._aside = aside
        self._file = file
        self._key = key
        self._max_bytes = max_bytes
        self._size = 0
        self._hash = hashlib.sha256()
        self._first = b""
        with _translated():
            self._pieces = PieceWriter(file, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Discards the file unless it was finished, and with it, by then, renamed."""
        try:
            self._file.close()
        except OSError:
            # A full disk refuses the last buffer too; the file is discarded below all the same.
            if kind is None:
                raise
        finally:
            self._aside.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise FileTooLarge(self._max_bytes)
        self._hash.update(chunk)
        if len(self._first) < FIRST_BYTES:
            self._first += chunk[: FIRST_BYTES - len(self._first)]
        with _translated():
            self._pieces.write(chunk)

    def finish(self) -> StoredFile:
        sha256 = self._hash.hexdigest()
        location = self._store.location(sha256, self._key)
        with _translated():
            self._pieces.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._store.keep(self._aside, location)
        return StoredFile(sha256, self._size, self._first, self._key, location)


@contextmanager
def _translated() -> Iterator[None]:
    """The operating system's refusals, in the port's words."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_NOW:
            raise
        raise AttachmentsUnavailable(
            f"Attachments cannot be stored or read now: {error.strerror}."
        ) from error
