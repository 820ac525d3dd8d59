"""Random bytes and HMAC without letting go of the interpreter's lock.

`os.urandom` and `hmac.digest` release the lock for a few microseconds of work; beside a busy second thread
each release can cost a switch: under load the two took a sixth of a complaint's processor time."""

from __future__ import annotations

import os
import threading
from hashlib import sha256
from typing import Final

_BLOCK: Final = 8192
_SHA256_BLOCK: Final = 64
_PIECE: Final = 2047
"""From 2,048 bytes on `update` lets go of the lock."""
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class RandomBytes:
    """The operating system's random bytes, drawn in blocks; no byte is given twice. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._block = b""
        self._used = 0
        os.register_at_fork(after_in_child=self._forget)

    def __call__(self, count: int) -> bytes:
        with self._lock:
            start, end = self._used, self._used + count
            if end > len(self._block):
                self._block, start, end = os.urandom(max(_BLOCK, count)), 0, count
            self._used = end
            return self._block[start:end]

    def _forget(self) -> None:
        """A child process must not give what its parent gives."""
        self._lock = threading.Lock()
        self._block, self._used = b"", 0


random_bytes: Final = RandomBytes()


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) for keys of at most 64 bytes, which all of ours are."""
    if len(key) > _SHA256_BLOCK:
        raise ValueError("a key of at most 64 bytes is needed")
    padded = key.ljust(_SHA256_BLOCK, b"\0")
    inner = sha256(padded.translate(_INNER))
    for start in range(0, len(message), _PIECE):
        inner.update(message[start : start + _PIECE])
    return sha256(padded.translate(_OUTER) + inner.digest()).digest()
