"""What came of one attempt, and what it says about the delivery and about the endpoint as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """`REFUSED` is about this event; `DOWN` about the endpoint, whichever event it was."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    DOWN = "down"
    BUSY = "busy"
    """The endpoint asks to wait (429, or 503 with Retry-After)."""
    GONE = "gone"
    """410: the endpoint asks to send nothing more (Standard Webhooks)."""


ENDPOINT_STATUSES: Final = frozenset({401, 403, 404, 405, 407, 408, 421, 425})
"""Refusals that no single event causes: the endpoint is configured wrongly, or away."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`cause` is None for a delivery that arrived; `retry_after` is the raw header."""

    outcome: Outcome
    cause: str | None = None
    status: int | None = None
    latency_s: float = 0.0
    retry_after: str | None = None


def judge(status: int, retry_after: str | None, latency_s: float) -> Answer:
    """The answer that an HTTP status is. Only 2xx is a delivery; redirects are not followed."""
    if 200 <= status < 300:
        return Answer(Outcome.DELIVERED, None, status, latency_s)
    cause = f"the endpoint answered {status}"
    if status == 410:
        cause += ", which asks the hub to stop; PUT /v1/webhook turns it on again"
        return Answer(Outcome.GONE, cause, status, latency_s)
    if status == 429 or (status == 503 and retry_after is not None):
        return Answer(Outcome.BUSY, f"{cause} and asks to wait", status, latency_s, retry_after)
    if 300 <= status < 400:
        return Answer(Outcome.DOWN, f"{cause}; redirects are not followed", status, latency_s)
    down = status >= 500 or status in ENDPOINT_STATUSES
    return Answer(Outcome.DOWN if down else Outcome.REFUSED, cause, status, latency_s)


def retry_after_s(header: str | None, now: datetime, cap_s: float) -> float | None:
    """Seconds to wait by RFC 9110, 10.2.3 (seconds or a date), between 0 and `cap_s`; None if unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), cap_s)
    try:
        moment = parsedate_to_datetime(text)
        return min(max((moment - now).total_seconds(), 0.0), cap_s)
    except (TypeError, ValueError, OverflowError):
        return None
