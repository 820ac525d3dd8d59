"""What the hub's statuses mean, whichever way they came: as an answer, as a line of a batch, as a record.

HubAway: try later (HubFailed: this one request). HubRefused: final for this request; what it says of the
client is asked of `bars_client` and `bars_submitting`.
"""

from __future__ import annotations

from typing import Any

from connectors.errors import HubAway, HubFailed, HubRefused

_AGAIN = (408, 425, 429)


def is_passing(status: int) -> bool:
    """Whether the same request may be taken later, and nobody has to mend anything at this side."""
    return status >= 500 or status in _AGAIN


def bars_client(problem: HubRefused) -> bool:
    """403 about the client as a whole (a missing scope, an agency that is not active), rather than about the
    one case that the request names."""
    return problem.status == 403 and (
        problem.is_kind("insufficient-scope") or problem.is_kind("agency-inactive")
    )


def bars_submitting(problem: HubRefused) -> bool:
    """Of a request that names no case, a complaint or a photo: about the client's rights or the hub's
    address, never about what was sent."""
    return problem.status in (403, 404, 405)


def problem_of(status: int, document: Any) -> HubRefused:
    """A problem document (RFC 9457) as an error; answers without one get their status as the title."""
    fields = document if isinstance(document, dict) else {}
    errors, first = fields.get("errors"), fields.get("first")
    return HubRefused(
        status,
        str(fields.get("type", "about:blank")),
        str(fields.get("title", "no problem document")),
        str(fields.get("detail", "")),
        [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else [],
        first if isinstance(first, int) else None,
        str(fields.get("state") or ""),
        str(fields.get("case_id") or ""),
    )


def error_of(status: int, document: Any, pause_s: float | None = None) -> HubAway | HubRefused:
    """What a status that is no success means. `pause_s` is what the hub asked for."""
    problem = problem_of(status, document)
    if status == 500:
        return HubFailed(f"the hub answers {problem}", pause_s)
    if is_passing(status):
        return HubAway(f"the hub answers {problem}", pause_s)
    if status == 401:
        return HubAway(f"the hub does not take this client's token: {problem}")
    if status < 400:
        return HubAway(f"the hub answers {status}; is hub.url its public address?")
    return problem
