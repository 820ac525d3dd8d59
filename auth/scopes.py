"""Every scope on one page. A token carries scopes; `policy.py` says which action needs which."""

from __future__ import annotations

from typing import Final

from auth.errors import InvalidScope

SCOPES: Final[dict[str, str]] = {
    "complaints:write": "Submit complaints, one by one or in batches, and compare what was submitted.",
    "cases:read": "Read the cases that the agency takes part in, with their history.",
    "cases:verify": "Verify complaints that the agency owns: accept, incomplete or reject.",
    "cases:consult": "Ask another agency before forwarding, and answer such questions.",
    "cases:forward": "Forward cases that the agency owns or handles, and withdraw what was forwarded.",
    "cases:handle": "Accept, return, progress and answer what was forwarded; confirm erasures.",
    "cases:close": "Close cases that the agency owns.",
    "cases:reopen": "Reopen cases that the agency submitted or owns.",
    "threads:write": "Open coordination threads, post messages and make commitments.",
    "attachments:write": "Upload files that a complaint, an answer or a message then names.",
    "mailbox:read": "Read and acknowledge the agency's mailbox, and compare its digest.",
    "stream:read": "Follow the agency's mailbox as server-sent events.",
    "webhook:write": "Set, change and remove the agency's webhook, and rotate its secret.",
    "deliveries:write": "See the agency's deliveries with their causes, and have dead ones sent again.",
    "evidence:read": "Export the signed evidence of a case that the agency may read.",
    "reporter:read": "Read the reporter's identity, as source or owner of the case; a reading is an event.",
    "reporter:erase": "Erase a case with its reporter for good, as source or owner of the case.",
    "agencies:write": "Register and change agencies.",
    "oversight:read": "Read indicators, overdue cases and patterns across agencies.",
}
"""scope -> what it allows. Any authenticated client may read /v1/agencies, /v1/categories and /v1/regions."""

RESERVED_SCOPES: Final = frozenset({"agencies:write", "oversight:read"})
"""Given only when a client is registered with them by name."""

DEFAULT_SCOPES: Final = frozenset(SCOPES) - RESERVED_SCOPES
"""What a client has that was registered without `--scope`: everything that the agency itself may do."""


def parse_scope(text: str) -> frozenset[str]:
    """The scopes of a space-separated list (RFC 6749 3.3); `InvalidScope` names the first unknown one."""
    asked = frozenset(part for part in text.split(" ") if part)
    unknown = sorted(asked - SCOPES.keys())
    if unknown:
        raise InvalidScope(
            f"There is no scope '{unknown[0][:64]}'. Scopes are separated by one space; "
            f"there are: {', '.join(SCOPES)}."
        )
    return asked


def format_scope(scopes: frozenset[str]) -> str:
    """The scopes as one space-separated text, in the order of the page."""
    return " ".join(scope for scope in SCOPES if scope in scopes)
