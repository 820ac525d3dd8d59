"""Webhook secrets and signatures, by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import orjson

from hub.ports.clock import rfc3339
from hub.ports.secrets import SecretBox

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"

_SHA256_BLOCK: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))
_AT_ONCE: Final = 2047
"""From 2048 bytes on `hashlib` lets go of the interpreter's lock; for a few microseconds of work that costs
more than it gives, and it is done on the event loop."""


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret that signs and, until `previous_until` (RFC 3339), the one before it."""

    current: str
    previous: str | None = None
    previous_until: str | None = None

    def rotated(self, now: datetime, overlap_s: float) -> Secrets:
        until = rfc3339(now + timedelta(seconds=overlap_s))
        return Secrets(new_secret(), self.current, until)

    def at(self, now: datetime) -> Secrets:
        """Without the previous one once its time is over."""
        if self.previous_until is not None and rfc3339(now) >= self.previous_until:
            return replace(self, previous=None, previous_until=None)
        return self

    def sealed(self, box: SecretBox, agency: str) -> bytes:
        return box.seal(_name(agency), orjson.dumps(self))

    @classmethod
    def opened(cls, box: SecretBox, agency: str, sealed: bytes) -> Secrets:
        return cls(**orjson.loads(box.open(_name(agency), sealed)))


class Signer:
    """Signs for one webhook."""

    def __init__(self, secrets_: Secrets) -> None:
        self._current = _Key(secrets_.current)
        self._previous = _Key(secrets_.previous) if secrets_.previous else None
        until = secrets_.previous_until
        self._previous_until = datetime.fromisoformat(until) if until else None

    def headers(self, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """The three headers. The id is the event's own, the same at every attempt; during a rotation both
        signatures stand in one header, separated by a space, the new one first."""
        timestamp = str(int(now.timestamp()))
        signed = b"%b.%b.%b" % (event_id.encode(), timestamp.encode(), body)
        signature = self._current.sign(signed)
        if self._previous and self._previous_until and now < self._previous_until:
            signature += " " + self._previous.sign(signed)
        return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


class _Key:
    """HMAC-SHA-256 (RFC 2104) under one secret, with what depends on the secret alone computed once."""

    def __init__(self, secret: str) -> None:
        key = base64.b64decode(secret.removeprefix(PREFIX) + "==")
        if len(key) > _SHA256_BLOCK:
            key = sha256(key).digest()
        padded = key.ljust(_SHA256_BLOCK, b"\0")
        self._inner = sha256(padded.translate(_INNER))
        self._outer = sha256(padded.translate(_OUTER))

    def sign(self, signed: bytes) -> str:
        """The signature as it stands in the header: version and base64."""
        inner, outer = self._inner.copy(), self._outer.copy()
        for start in range(0, len(signed), _AT_ONCE):
            inner.update(signed[start : start + _AT_ONCE])
        outer.update(inner.digest())
        return f"v1,{base64.b64encode(outer.digest()).decode()}"


def _name(agency: str) -> str:
    return f"webhook:{agency}"
