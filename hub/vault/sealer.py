"""Sealing over the master key file: AES-256-GCM from `cryptography`, keys derived by HKDF-Expand.

Wraps use random 96-bit nonces under one key per generation: rotate it before 2^32 wraps (NIST SP 800-38D,
8.3). Everything else has a key of its own, used once or for one case.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.ports.sealing import (
    PARTS,
    FileHolder,
    KeyUnavailable,
    Part,
    SealBroken,
    StreamKey,
    WrappedKey,
)
from hub.vault.frame import decrypt, encrypt, expand, locate, open_span, open_value, seal_parts, seal_value
from hub.vault.master_key import Keyring, MasterKeyFile
from hub.vault.primitives import hmac_sha256, random_bytes

_INFO: dict[str, bytes] = {part: b"simpul/event/1\0" + part.encode() + b"\0" for part in PARTS}


class _Ring:
    """A keyring made ready for use; never changed, only replaced as a whole, hence safe between threads."""

    def __init__(self, ring: Keyring, stamp: tuple[int, int, int]) -> None:
        self.stamp = stamp
        self.ciphers = {g.number: AESGCM(g.key) for g in ring.generations}
        self.current = ring.current.number
        self.cipher = self.ciphers[self.current]
        self.hub_secret = ring.hub_secret


class Sealer:
    """The port `Sealing`. The file must exist (`MasterKeyFile.ensure` or `load` beforehand)."""

    def __init__(self, file: MasterKeyFile) -> None:
        self._file = file
        self._ring = self._read()
        self._hub_keys: dict[str, bytes] = {}

    def refresh(self) -> int:
        if self._file.stamp() != self._ring.stamp:
            self._ring = self._read()
        return self._ring.current

    def new_stream_key(self, stream: str) -> StreamKey:
        ring = self._ring
        fresh = random_bytes(44)
        key, nonce = fresh[:32], fresh[32:]
        wrapped = nonce + ring.cipher.encrypt(nonce, key, _wrap_data(stream))
        return StreamKey(stream, key, WrappedKey(stream, ring.current, wrapped))

    def open_stream_key(self, wrapped: WrappedKey) -> StreamKey:
        return StreamKey(wrapped.stream, self._unwrap(wrapped, wrapped.stream), wrapped)

    def rewrap(self, wrapped: WrappedKey) -> WrappedKey:
        if wrapped.generation == self._ring.current:
            return wrapped
        return self._wrap(wrapped.stream, self._unwrap(wrapped, wrapped.stream))

    def wrap_now(self, key: StreamKey) -> WrappedKey:
        if key.wrapped.generation == self._ring.current:
            return key.wrapped
        return self._wrap(key.stream, key.key)

    def part_key(self, key: StreamKey, event_id: str, part: Part) -> bytes:
        return expand(key.key, _INFO[part] + event_id.encode())

    def seal_event(self, key: StreamKey, event_id: str, parts: Mapping[Part, bytes]) -> bytes:
        named = [(name, self.part_key(key, event_id, name), parts[name]) for name in PARTS if name in parts]
        if not named or len(named) != len(parts):
            raise ValueError(f"an event is sealed with the parts masked and original, not with {list(parts)}")
        return seal_parts(event_id, named)

    def open_event(self, key: StreamKey, event_id: str, sealed: bytes, part: Part) -> bytes | None:
        header, spans = locate(sealed)
        # An absent part is believed only when a present one vouches for the header that says so.
        name = part if part in spans else next(iter(spans))
        part_key = self.part_key(key, event_id, name)
        data = open_span(part_key, name, event_id, sealed, header, spans[name])
        return data if name == part else None

    def open_part(self, part_key: bytes, event_id: str, sealed: bytes, part: Part) -> bytes:
        header, spans = locate(sealed)
        if part not in spans:
            raise SealBroken(f"Event {event_id} has no part {part!r}.")
        return open_span(part_key, part, event_id, sealed, header, spans[part])

    def seal_identity(self, key: StreamKey, case_id: str, data: bytes) -> bytes:
        associated = b"simpul/identity/1\0" + case_id.encode()
        return seal_value(expand(key.key, associated), data, associated)

    def open_identity(self, key: StreamKey, case_id: str, sealed: bytes) -> bytes:
        associated = b"simpul/identity/1\0" + case_id.encode()
        return open_value(expand(key.key, associated), sealed, associated, f"the identity of {case_id}")

    def keyed_digest(self, key: StreamKey, purpose: str, data: bytes) -> bytes:
        return hmac_sha256(expand(key.key, b"simpul/digest/1\0" + purpose.encode()), data)

    def hub_digest(self, purpose: str, data: bytes) -> bytes:
        key = self._hub_keys.get(purpose)
        if key is None:
            key = expand(self._ring.hub_secret, b"simpul/hub/1\0" + purpose.encode())
            self._hub_keys[purpose] = key  # purposes are names in the program, so these stay few
        return hmac_sha256(key, data)

    def new_file_key(self) -> bytes:
        return random_bytes(32)

    def wrap_file_key(self, holder: FileHolder, sha256: str, file_key: bytes) -> WrappedKey:
        name = _file_stream(holder, sha256)
        if isinstance(holder, str):
            self.refresh()
            return self._wrap(name, file_key)
        cipher = AESGCM(expand(holder.key, b"simpul/file/1\0" + sha256.encode()))
        return WrappedKey(name, holder.wrapped.generation, encrypt(cipher, file_key, _wrap_data(name)))

    def unwrap_file_key(self, holder: FileHolder, sha256: str, wrapped: WrappedKey) -> bytes:
        name = _file_stream(holder, sha256)
        if isinstance(holder, str):
            return self._unwrap(wrapped, name)
        cipher = AESGCM(expand(holder.key, b"simpul/file/1\0" + sha256.encode()))
        return decrypt(cipher, wrapped.wrapped, _wrap_data(name), name)

    def _wrap(self, stream: str, key: bytes) -> WrappedKey:
        ring = self._ring
        return WrappedKey(stream, ring.current, encrypt(ring.cipher, key, _wrap_data(stream)))

    def _unwrap(self, wrapped: WrappedKey, stream: str) -> bytes:
        cipher = self._ring.ciphers.get(wrapped.generation)
        if cipher is None:
            self.refresh()
            cipher = self._ring.ciphers.get(wrapped.generation)
        if cipher is None:
            raise KeyUnavailable(wrapped.generation)
        try:
            return decrypt(cipher, wrapped.wrapped, _wrap_data(stream), stream)
        except SealBroken as error:
            raise SealBroken(
                f"The key of {stream} cannot be opened with the master key file {self._file.path}: either "
                "that is another hub's file, and the one of these data must be put back in its place, or "
                "this one key was altered."
            ) from error

    def _read(self) -> _Ring:
        # The stamp first: if the file is replaced in between, the next refresh reads it once more.
        stamp = self._file.stamp()
        return _Ring(self._file.load(), stamp)


def _wrap_data(stream: str) -> bytes:
    return b"simpul/wrap/1\0" + stream.encode()


def _file_stream(holder: FileHolder, sha256: str) -> str:
    """The name that a file key's wrap is bound to. Only "uploader:" names are wrapped by the master key."""
    suffix = f"/file:{sha256}"
    if isinstance(holder, StreamKey):
        return holder.stream + suffix
    if not holder.startswith("uploader:"):
        raise ValueError(f"a file key is held by a stream's key or by uploader:<agency>, not by {holder!r}")
    return holder if holder.endswith(suffix) else holder + suffix
