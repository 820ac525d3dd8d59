"""Small words of messages: numbers with their noun, why a connection failed, how long to wait."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_PLURALS = {"status": "statuses", "reply": "replies", "thing": "things"}
_ERRNO = {
    errno.ECONNREFUSED: "connection refused: nothing listens there",
    errno.ECONNRESET: "the connection was cut",
    errno.EHOSTUNREACH: "no route to that machine",
    errno.ENETUNREACH: "no network",
    errno.ETIMEDOUT: "no answer in time",
}
_KINDS = {
    "ClientResponseError": "what answers there is no HTTP",
    "ServerDisconnectedError": "the connection was closed before an HTTP answer",
    "ClientPayloadError": "the HTTP answer broke off",
}
"""What aiohttp raises -> what happened."""


def many(count: int, noun: str) -> str:
    """`1 row`, `3 rows`."""
    return f"{count} {noun if count == 1 else _PLURALS.get(noun, noun + 's')}"


def one_line(text: str, limit: int = 80) -> str:
    """A name as it can be shown: control characters as \\n or \\x00, the end of a long one as its hash."""
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return (
        shown if len(shown) <= limit else f"{shown[:limit]}…{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    )


def why_unreachable(error: BaseException) -> str:
    """The cause of a failed connection in words, without addresses."""
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return "no answer in time"
    inner = getattr(error, "os_error", None) or error
    if isinstance(error, ssl.SSLError) or isinstance(inner, ssl.SSLError) or "Certificate" in _kind(error):
        return "its TLS certificate is not trusted here, or it speaks no TLS"
    if "DNS" in _kind(error) or "gaierror" in _kind(inner):
        return "its name is not known here (DNS)"
    number = getattr(inner, "errno", None)
    if isinstance(number, int) and number in _ERRNO:
        return _ERRNO[number]
    said = getattr(inner, "strerror", None)
    return said if isinstance(said, str) and said else _KINDS.get(_kind(error), _kind(error))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds or an HTTP date (RFC 9110 section 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None


def _kind(error: BaseException) -> str:
    return type(error).__name__
