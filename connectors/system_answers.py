"""What the agency's own system says by an HTTP status, judged as the hub judges a webhook endpoint: a test
compares this table with hub/delivery/answers.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Said(StrEnum):
    """`REFUSED` is about this event; `DOWN` about the system as a whole, whichever event it was."""

    TAKEN = "delivered"
    REFUSED = "refused"
    DOWN = "down"
    BUSY = "busy"
    """It asks to wait (429, or 503 with Retry-After)."""
    GONE = "gone"
    """410: it wants nothing more. The hub sends nothing until PUT /v1/webhook; a connector, which has nothing
    of the kind, takes it for an address that is wrong."""


SYSTEM_STATUSES: Final = frozenset({401, 403, 404, 405, 407, 408, 421, 425})
"""Refusals that no single event causes."""
_MAY_PASS: Final = frozenset({408, 425})
_HEADERS = "it does not let this connector in: mend deliver.http.headers or deliver.http.headers_env"
_ADDRESS = "nothing takes events there: write the address that takes POST into deliver.http.url"
_REDIRECT = "redirects are not followed: write the address that it leads to into deliver.http.url"
_REMEDIES: Final = {
    401: _HEADERS,
    403: _HEADERS,
    404: f"{_ADDRESS} (of a case that it does not know, a system says 409 or 422)",
    407: "a proxy wants a password: write an address without one before it into deliver.http.url",
}


def judge(status: int, asks_to_wait: bool) -> Said:
    """`asks_to_wait`: the answer has Retry-After. Only 2xx means that the event was taken."""
    if 200 <= status < 300:
        return Said.TAKEN
    if status == 410:
        return Said.GONE
    if status == 429 or (status == 503 and asks_to_wait):
        return Said.BUSY
    down = status >= 500 or 300 <= status < 400 or status in SYSTEM_STATUSES
    return Said.DOWN if down else Said.REFUSED


def remedy(status: int) -> str:
    """What somebody must mend after DOWN or GONE; "" for what may pass by itself."""
    if status >= 500 or status in _MAY_PASS:
        return ""
    return _REDIRECT if status < 400 else _REMEDIES.get(status, _ADDRESS)
