"""Port: attachments at rest. Content-addressed for callers (sha256), encrypted on the disk, each file under
a key of its own, so that dropping the last wrap of that key makes the file unreadable at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from hub.errors import SimpulError

FIRST_BYTES: Final = 8192
"""So many are enough to tell what a file is."""
SEALED_BEGINS: Final = b"SMPLFIL\x01"
"""So does every file at rest; pieces follow."""
SEALED_PIECE: Final = 64 * 1024 + 16
"""All pieces but the last are as long, the 16 bytes of their seal included."""
SEAL: Final = 16


def could_be_stored(size: int, begins: bytes) -> bool:
    """Whether a file of that size, which begins so, has the form of one at rest: all that can be told
    without its key. A bit that turned in a piece cannot."""
    pieces = size - len(SEALED_BEGINS)
    whole, last = divmod(pieces, SEALED_PIECE)
    return begins == SEALED_BEGINS and (last >= SEAL or (last == 0 and whole > 0))


class AttachmentError(SimpulError):
    """Something about a stored file."""


class FileTooLarge(AttachmentError):
    """The stream went past the limit while it was read; nothing of it was kept."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The file is larger than {max_bytes} bytes. Send a smaller one.")
        self.max_bytes = max_bytes


class FileMissing(AttachmentError):
    """No such file on the disk (deleted, or never uploaded here)."""


class FileBroken(AttachmentError):
    """The stored bytes were altered or cut, or the key is another file's."""


class AttachmentsUnavailable(AttachmentError):
    """The attachments folder cannot be written or read now (disk full, read-only); nothing was kept."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is durable on the disk.

    sha256: of the content, 64 hex digits. size: bytes of content. first_bytes: up to FIRST_BYTES of them.
    file_key: 32 bytes, to be wrapped for a holder and then forgotten. location: its opaque name on the disk;
    keep it in the row, it is what `delete` takes once the key is gone.
    """

    sha256: str
    size: int
    first_bytes: bytes = field(repr=False)
    file_key: bytes = field(repr=False)
    location: str


class Upload(Protocol):
    """One file being received. A context manager: leaving it without `finish` discards everything.
    The calls write to the disk: from asyncio make them through a thread."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, chunk: bytes) -> None:
        """Takes any number of bytes. Raises FileTooLarge as soon as the limit is passed."""
        ...

    def finish(self) -> StoredFile:
        """Encrypts the rest, syncs file and folder, gives the file its name: durable on return."""
        ...


class Attachments(Protocol):
    """Guarantees: no plaintext and no content hash on the disk; constant memory; a crash leaves either the
    whole file or an unnamed leftover that `sweep` removes; the same content put twice is two files with
    two keys, so that erasing one case never touches another's file."""

    def begin(self, max_bytes: int) -> Upload:
        """Starts receiving a file of at most `max_bytes`."""
        ...

    def put(self, chunks: Iterable[bytes], max_bytes: int) -> StoredFile:
        """`begin`, every `write`, `finish` in one call."""
        ...

    def open(self, sha256: str, file_key: bytes) -> Iterator[bytes]:
        """The content in pieces of at most 64 KiB, each verified before it is given. Raises FileMissing at
        once; FileBroken at the altered piece, or at the end if the file was cut."""
        ...

    def delete(self, location: str) -> bool:
        """Removes a file; False if it was not there (so that it may be repeated)."""
        ...

    def sweep(self, older_than_s: float) -> int:
        """Removes leftovers of interrupted uploads not touched for that long; answers how many."""
        ...
