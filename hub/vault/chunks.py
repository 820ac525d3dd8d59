"""A file as a row of sealed pieces (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár 2015).

The file begins with 8 bytes (`HEADER`); then pieces of 64 KiB of content, the last one shorter or as long,
each AES-256-GCM with the nonce: 11 bytes counter (big-endian) | 1 byte, 1 for the last piece. The file's key
is used for this file alone, so no nonce comes twice; a piece moved, dropped or added does not verify.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports.attachments import FileBroken

HEADER = b"SMPLFIL\x01"
PIECE = 64 * 1024
_TAG = 16


class PieceWriter:
    """Encrypts what is written to it in pieces; holds back one piece, since the last is marked."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        self._held = bytearray()
        self._count = 0
        file.write(HEADER)

    def write(self, chunk: bytes) -> None:
        self._held += chunk
        while len(self._held) > PIECE:
            piece = bytes(self._held[:PIECE])
            del self._held[:PIECE]
            self._seal(piece, last=False)

    def finish(self) -> None:
        self._seal(bytes(self._held), last=True)
        self._held.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, last), piece, HEADER))
        self._count += 1


def read_pieces(file: BinaryIO, key: bytes) -> Iterator[bytes]:
    """The content, each piece verified before it is given; closes the file. Raises FileBroken."""
    with file:
        if file.read(len(HEADER)) != HEADER:
            raise FileBroken("The stored file does not begin as one of the hub's files does.")
        cipher = AESGCM(key)
        count = 0
        sealed = file.read(PIECE + _TAG)
        while True:
            following = file.read(PIECE + _TAG)
            last = not following
            try:
                piece = cipher.decrypt(_nonce(count, last), sealed, HEADER)
            except (InvalidTag, ValueError) as error:
                raise FileBroken(
                    f"Piece {count} of the stored file was altered or the file was cut."
                ) from error
            if piece:
                yield piece
            if last:
                return
            sealed = following
            count += 1


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
