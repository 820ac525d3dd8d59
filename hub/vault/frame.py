"""How sealed bytes are laid out. Stored bytes never change, so a new layout gets a new version byte.

An event's payload (all numbers big-endian):

    version 1 byte (1) | parts 1 byte (bit 0: masked, bit 1: original) | length 4 bytes per part, in order
    then per part: commitment 32 | nonce 12 | AES-256-GCM ciphertext | tag 16

Each part's additional data is its name, the event's id and this whole header, so that dropping a part,
moving it, or changing any byte is noticed. The commitment is SHA-256 over the part's key: GCM alone lets a
forger find two keys that open one ciphertext to two texts, and evidence discloses single keys.

A single value (an identity): version 1 byte (1) | nonce 12 | ciphertext | tag 16.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports.sealing import PARTS, Part, SealBroken
from hub.vault.primitives import hmac_sha256, random_bytes

VERSION = 1
_VERSION_BYTE = bytes([VERSION])
_NONCE = 12
_TAG = 16
_COMMITMENT = 32
_OVERHEAD = _COMMITMENT + _NONCE + _TAG
_BITS: dict[Part, int] = {part: 1 << index for index, part in enumerate(PARTS)}
_KNOWN = sum(_BITS.values())


def expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand (RFC 5869, 2.3) with SHA-256, the single block that 32 bytes need; `key` is uniform."""
    return hmac_sha256(key, info + b"\x01")


def commitment(part_key: bytes) -> bytes:
    return hashlib.sha256(b"simpul/commitment/1\0" + part_key).digest()


def seal_parts(event_id: str, parts: Sequence[tuple[Part, bytes, bytes]]) -> bytes:
    """Frames (name, part key, data) triples that stand in the order of PARTS."""
    bits, lengths = 0, b""
    for name, _, data in parts:
        bits |= _BITS[name]
        lengths += (len(data) + _OVERHEAD).to_bytes(4, "big")
    header = bytes((VERSION, bits)) + lengths
    nonces = random_bytes(_NONCE * len(parts))
    sealed = header
    for name, part_key, data in parts:
        nonce, nonces = nonces[:_NONCE], nonces[_NONCE:]
        text = AESGCM(part_key).encrypt(nonce, data, _event_data(name, event_id, header))
        sealed += commitment(part_key) + nonce + text
    return sealed


def locate(sealed: bytes) -> tuple[bytes, Mapping[Part, tuple[int, int]]]:
    """The header and each present part's (start, end). Raises SealBroken when the frame does not add up."""
    if len(sealed) < 2 or sealed[0] != VERSION or not sealed[1] or sealed[1] & ~_KNOWN:
        raise SealBroken("The sealed payload has no known form: it was altered, or a newer version wrote it.")
    names = [part for part in PARTS if sealed[1] & _BITS[part]]
    end = 2 + 4 * len(names)
    header = sealed[:end]
    spans: dict[Part, tuple[int, int]] = {}
    for index, name in enumerate(names):
        start, end = end, end + int.from_bytes(header[2 + 4 * index : 6 + 4 * index], "big")
        spans[name] = (start, end)
    if len(header) != 2 + 4 * len(names) or end != len(sealed):
        raise SealBroken("The sealed payload was cut or lengthened.")
    return header, spans


def open_span(
    part_key: bytes, name: Part, event_id: str, sealed: bytes, header: bytes, span: tuple[int, int]
) -> bytes:
    """Verifies and decrypts the part at `span`."""
    start, end = span
    if end - start < _OVERHEAD or not hmac.compare_digest(
        sealed[start : start + _COMMITMENT], commitment(part_key)
    ):
        raise SealBroken(f"The part {name!r} of event {event_id} was not sealed under this key.")
    start += _COMMITMENT
    return decrypt(
        AESGCM(part_key), sealed[start:end], _event_data(name, event_id, header), f"event {event_id}"
    )


def encrypt(cipher: AESGCM, data: bytes, associated: bytes) -> bytes:
    """nonce | ciphertext | tag, with a random nonce."""
    nonce = random_bytes(_NONCE)
    return nonce + cipher.encrypt(nonce, data, associated)


def decrypt(cipher: AESGCM, sealed: bytes, associated: bytes, what: str) -> bytes:
    """Undoes `encrypt`. Raises SealBroken, which names `what`."""
    if len(sealed) < _NONCE + _TAG:
        raise SealBroken(f"What was sealed for {what} was cut.")
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], associated)
    except InvalidTag as error:
        raise SealBroken(f"What was sealed for {what} was altered, or belongs to something else.") from error


def seal_value(key: bytes, data: bytes, associated: bytes) -> bytes:
    return _VERSION_BYTE + encrypt(AESGCM(key), data, associated)


def open_value(key: bytes, sealed: bytes, associated: bytes, what: str) -> bytes:
    if sealed[:1] != _VERSION_BYTE:
        raise SealBroken(f"What was sealed for {what} has no known form.")
    return decrypt(AESGCM(key), sealed[1:], associated, what)


def _event_data(name: str, event_id: str, header: bytes) -> bytes:
    return b"simpul/event/1\0" + name.encode() + b"\0" + event_id.encode() + b"\0" + header
