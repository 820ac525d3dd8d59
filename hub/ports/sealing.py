"""Port: sealing what is personal. Keys live in memory only as long as they are used;
what is stored is wrapped under a generation of the master key, or sealed under a case's or thread's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from hub.errors import SimpulError

Part = Literal["masked", "original"]
"""`masked`: the text as other agencies read it; `original`: what the citizen wrote where it differs."""

PARTS: tuple[Part, ...] = ("masked", "original")


class SealingError(SimpulError):
    """Something sealed cannot be opened, or something cannot be sealed."""


class SealBroken(SealingError):
    """The sealed bytes were altered, cut, or belong to another stream, event, part or key."""


class KeyUnavailable(SealingError):
    """The master key file has no key of this generation: it was destroyed after a rotation, or the data
    folder was restored beside another master key file."""

    def __init__(self, generation: int) -> None:
        super().__init__(
            f"The master key file holds no generation {generation}. Restore the master key file of that "
            f"time beside the data; without it what was sealed then cannot be read."
        )
        self.generation = generation


class MasterKeyError(SealingError):
    """The master key file is missing, unreadable, unsafe (mode) or malformed; the message says the remedy."""


@dataclass(slots=True)
class WrappedKey:
    """A stream's key (or a file's key for one holder) as it is stored: useless without the master key.

    stream: whose it is ("case:<id>", "thread:<id>", "uploader:<agency>"); bound into the wrap.
    generation: of the master key, 1 or more. wrapped: 60 bytes (nonce 12, key 32, tag 16).
    """

    stream: str
    generation: int
    wrapped: bytes


@dataclass(slots=True)
class StreamKey:
    """A stream's key in memory: 32 random bytes. Never log, store or send `key`; store `wrapped`."""

    stream: str
    key: bytes = field(repr=False)
    wrapped: WrappedKey


FileHolder = StreamKey | str
"""Who holds a file's key: a case's or thread's key, or before it is named there "uploader:<agency>" (or, the
same, the `stream` of that wrap)."""


class Sealing(Protocol):
    """Guarantees of every implementation:

    - Authenticated: any altered byte, and any other stream, event id, part, case, holder or file than
      sealed for, raises `SealBroken`; nothing is ever returned half or unverified.
    - Without the stream's key nothing sealed under it can be opened, now or later: destroying the stored
      `WrappedKey` (and its backups) erases.
    - A part's key opens that part of that event and nothing else, and no two keys open one sealed part
      (key-committing), so that disclosing it in evidence proves what was sealed.
    - Thread-safe; no call waits for anything but memory and, where said, one local file.
    """

    def refresh(self) -> int:
        """Reads the master key file again if it changed (one `stat`); answers the current generation.

        A writer calls it once per batch, so that a rotation by another process is in force at once."""
        ...

    def new_stream_key(self, stream: str) -> StreamKey:
        """A fresh random key for a stream, wrapped under the generation that was current at the last refresh;
        whoever stores it asks `wrap_now`."""
        ...

    def open_stream_key(self, wrapped: WrappedKey) -> StreamKey:
        """Unwraps. Raises KeyUnavailable if that generation is absent (after one look at the file),
        SealBroken if tampered or another stream's."""
        ...

    def rewrap(self, wrapped: WrappedKey) -> WrappedKey:
        """The same key under the current generation (the same object if it already is): for rotation.
        For stream keys and uploaders' wraps; a file's wrap under a stream's key needs none."""
        ...

    def wrap_now(self, key: StreamKey) -> WrappedKey:
        """The key as it is to be stored now: wrapped anew where the master key was rotated since."""
        ...

    def part_key(self, key: StreamKey, event_id: str, part: Part) -> bytes:
        """The 32-byte key of one part of one event: what evidence discloses. HKDF-Expand, RFC 5869 2.3."""
        ...

    def seal_event(self, key: StreamKey, event_id: str, parts: Mapping[Part, bytes]) -> bytes:
        """Seals one or both parts, AES-256-GCM, framed as in `hub/vault/frame.py` (50 to 150 bytes more).

        Raises ValueError for no part or an unknown one: an event without text has no payload at all."""
        ...

    def open_event(self, key: StreamKey, event_id: str, sealed: bytes, part: Part) -> bytes | None:
        """One part's bytes, or None when the event never had that part (which is verified too)."""
        ...

    def open_part(self, part_key: bytes, event_id: str, sealed: bytes, part: Part) -> bytes:
        """Opens one part with nothing but its disclosed key. Raises SealBroken also if the part is absent."""
        ...

    def seal_identity(self, key: StreamKey, case_id: str, data: bytes) -> bytes:
        """Seals the reporter's identity for the vault row of that case."""
        ...

    def open_identity(self, key: StreamKey, case_id: str, sealed: bytes) -> bytes:
        """Opens a vault row. Raises SealBroken if it is another case's."""
        ...

    def keyed_digest(self, key: StreamKey, purpose: str, data: bytes) -> bytes:
        """32 bytes: HMAC-SHA-256 under a key derived from the stream's key for that purpose. It goes with
        the key: after an erasure nobody can test a guess against it."""
        ...

    def hub_digest(self, purpose: str, data: bytes) -> bytes:
        """32 bytes: HMAC-SHA-256 under a key derived from the hub's own secret for that purpose. The same
        for ever and in every process: rotation of the master key does not change it."""
        ...

    def new_file_key(self) -> bytes:
        """32 random bytes for one stored file."""
        ...

    def wrap_file_key(self, holder: FileHolder, sha256: str, file_key: bytes) -> WrappedKey:
        """A file's key for one holder, bound to the holder's name and the file's sha256 (hex). For an
        uploader under the current generation, after one look at the key file. The answer's `stream` is
        "<holder's name>/file:<sha256>"; keep it as it is."""
        ...

    def unwrap_file_key(self, holder: FileHolder, sha256: str, wrapped: WrappedKey) -> bytes:
        """Raises SealBroken for another holder or file, KeyUnavailable as `open_stream_key`."""
        ...
