"""Port: the rows that say which agency uploaded a file, and which cases hold its key. Not projections."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from hub.ports.sealing import WrappedKey

UPLOAD_KEPT: Final = timedelta(hours=24)
"""So long may a file be named after its upload; from then on only cases that name it hold its key."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as one agency uploaded it. `wrapped` is its key for the stream "uploader:<agency>", None once a
    case holds it; `location` its opaque name in the attachments store; `created_at` RFC 3339."""

    sha256: str
    agency: str
    media_type: str
    size: int
    wrapped: WrappedKey | None = field(repr=False)
    location: str
    created_at: str


@dataclass(frozen=True, slots=True)
class FileHolder:
    """A case (or thread) that names the file, with the file's key wrapped under the stream's key, and that
    key itself as it is stored (None: erased, nothing can be opened by it)."""

    stream: str
    wrapped: WrappedKey = field(repr=False)
    stream_key: WrappedKey | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileHolding:
    """A file's key, wrapped under the key of a case or a thread that names the file."""

    sha256: str
    stream: str
    key: WrappedKey


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that its agency may name: its key, wrapped for the uploader, and what was uploaded (`size` in
    bytes)."""

    key: WrappedKey
    media_type: str
    size: int


class FileTable(Protocol):
    """Synchronous. `put` is a transaction of its own and durable on return: call it on the writer's thread
    (`Writer.run`); the readings on a reader's."""

    def put(self, row: FileRow) -> None:
        """Records an upload, in the place of that agency's row for the same content if there is one."""
        ...

    def uploads(self, sha256: str) -> list[FileRow]:
        """Every agency's upload of that content."""
        ...

    def holders(self, sha256: str) -> list[FileHolder]:
        """The cases and threads that name it."""
        ...
