"""The secret of a browser's session, and what is derived from it. Nothing here knows HTTP."""

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


def _tag(secret: bytes, digest: Digest) -> bytes:
    return digest("session-cookie", secret)[:TAG_BYTES]
