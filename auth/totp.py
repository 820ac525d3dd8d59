"""Time-based one-time codes (RFC 6238): six digits, 30 seconds, SHA-1, as authenticator apps have them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""So many steps may a phone's clock be off, either way."""
SECRET_BYTES: Final = 20


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """The code of one time step (RFC 4226, 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: bytes, code: str, now: float) -> int | None:
    """The time step whose code this is, None if it is of none near `now` (Unix seconds). The caller sees to
    it that no step is used twice (RFC 6238, 5.2)."""
    current, found = int(now) // STEP_S, None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "replace")):
            found = step
    return found


def text_of(secret: bytes) -> str:
    """The secret as people type it into an app: base32."""
    return base64.b32encode(secret).decode("ascii")


def uri_of(secret: bytes, account: str, issuer: str) -> str:
    """What an app scans (the `otpauth` key URI)."""
    named = urlencode({"secret": text_of(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{named}"
