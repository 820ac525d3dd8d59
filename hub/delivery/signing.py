"""Webhook secrets and signatures, by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import orjson
from standardwebhooks import Webhook

from hub.ports.clock import rfc3339
from hub.ports.secrets import SecretBox

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"


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
        self._current = Webhook(secrets_.current)
        self._previous = Webhook(secrets_.previous) if secrets_.previous else None
        until = secrets_.previous_until
        self._previous_until = datetime.fromisoformat(until) if until else None

    def headers(self, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
        """The three headers. The id is the event's own, the same at every attempt; during a rotation both
        signatures stand in one header, separated by a space, the new one first."""
        text = body.decode()
        signatures = [self._current.sign(event_id, now, text)]
        if self._previous and self._previous_until and now < self._previous_until:
            signatures.append(self._previous.sign(event_id, now, text))
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def _name(agency: str) -> str:
    return f"webhook:{agency}"
