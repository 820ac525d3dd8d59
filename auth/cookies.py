"""The secret of a browser's session and what is derived from it, and the mark of a browser that somebody has
signed in with before. Nothing here knows HTTP."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Final

SECRET_BYTES: Final = 32
TAG_BYTES: Final = 16
_COOKIE: Final = re.compile(r"[A-Za-z0-9_-]{64}")
DEVICE_BYTES: Final = 16
DEVICE_KEPT_S: Final = 180 * 86_400
_DEVICE: Final = re.compile(r"[A-Za-z0-9_-]{48}")
_UNTIL_BYTES: Final = 4

Digest = Callable[[str, bytes], bytes]
"""(purpose, data) -> a keyed hash under the hub's own secret (`Sealing.hub_digest`)."""


def new_cookie(digest: Digest) -> str:
    """256 random bits and a tag of the hub's: a made-up one is known without asking the database."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return base64.urlsafe_b64encode(secret + _tag(secret, digest)).decode("ascii")


def session_id(cookie: str, digest: Digest) -> bytes | None:
    """The hash under which the session is stored; None for a cookie that this hub never made."""
    if not _COOKIE.fullmatch(cookie):
        return None
    try:
        data = base64.urlsafe_b64decode(cookie)
    except (ValueError, binascii.Error):
        return None
    secret, tag = data[:SECRET_BYTES], data[SECRET_BYTES:]
    return hashlib.sha256(secret).digest() if hmac.compare_digest(tag, _tag(secret, digest)) else None


def csrf_token(found: bytes, digest: Digest) -> str:
    """What a page sends along with each write. Derived from the session's id, so it is as secret as the hub's
    key, the same for as long as the session lives, and stored nowhere."""
    return base64.urlsafe_b64encode(digest("session-csrf", found)).decode("ascii").rstrip("=")


def csrf_matches(given: str | None, found: bytes, digest: Digest) -> bool:
    """In constant time."""
    expected = csrf_token(found, digest).encode("ascii")
    return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), expected)


def new_device(account: str, now: float, digest: Digest) -> str:
    """For a browser in which somebody signed in to the account: it is good for nothing but that, while others
    guess at the account, this browser is not shut out with them (OWASP, "Device Cookies")."""
    until = int(now + DEVICE_KEPT_S).to_bytes(_UNTIL_BYTES, "big")
    named = secrets.token_bytes(DEVICE_BYTES) + until
    return base64.urlsafe_b64encode(named + _device_tag(named, account, digest)).decode("ascii")


def device_of(cookie: str, account: str, now: float, digest: Digest) -> str | None:
    """The name of a browser that is known to the account; None for one that is another account's, is too old
    or was never given out."""
    if not _DEVICE.fullmatch(cookie):
        return None
    data = base64.urlsafe_b64decode(cookie)
    named, tag = data[:-TAG_BYTES], data[-TAG_BYTES:]
    if not hmac.compare_digest(tag, _device_tag(named, account, digest)):
        return None
    if int.from_bytes(named[DEVICE_BYTES:], "big") <= now:
        return None
    return named[:DEVICE_BYTES].hex()


def _device_tag(named: bytes, account: str, digest: Digest) -> bytes:
    return digest("device-cookie", named + account.encode("utf-8", "surrogatepass"))[:TAG_BYTES]


def _tag(secret: bytes, digest: Digest) -> bytes:
    return digest("session-cookie", secret)[:TAG_BYTES]
