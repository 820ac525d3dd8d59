"""The one table of what may follow what: cases and legs. Decisions, 409 answers, `actions` and the
documentation's diagram are all made from here."""

from __future__ import annotations

from typing import Final

OPEN_LEG: Final = frozenset({"sent", "accepted", "in_progress"})
HELD_LEG: Final = frozenset({"sent", "accepted", "in_progress", "answered"})
"""A leg that was neither returned nor withdrawn: its agency takes part in the case."""

CASE: Final[dict[str, frozenset[str]]] = {
    "submitted": frozenset({"verify", "close"}),
    "incomplete": frozenset({"verify", "close"}),
    "verified": frozenset({"forward", "close"}),
    "forwarded": frozenset({"forward", "close"}),
    "in_progress": frozenset({"forward", "close"}),
    "answered": frozenset({"close", "reopen"}),
    "rejected": frozenset({"close"}),
    "closed": frozenset({"reopen"}),
}
"""Case status -> what its owner may do with the case as a whole. Legs move it on by themselves, see `LEG`."""

LEG: Final[dict[str, dict[str, str]]] = {
    "sent": {"accept": "accepted", "return": "returned", "withdraw": "withdrawn"},
    "accepted": {
        "return": "returned",
        "progress": "in_progress",
        "answer": "answered",
        "withdraw": "withdrawn",
    },
    "in_progress": {
        "return": "returned",
        "progress": "in_progress",
        "answer": "answered",
        "withdraw": "withdrawn",
    },
    "answered": {},
    "returned": {},
    "withdrawn": {},
}
"""Leg status -> action -> next status."""

VERDICTS: Final = {"accept": "verified", "incomplete": "incomplete", "reject": "rejected"}
RETURN_REASONS: Final = ("not_ours", "outside_region", "needs_information", "duplicate", "other")
CLOSURE_REASONS: Final = (
    "resolved",
    "no_reply",
    "withdrawn_by_reporter",
    "duplicate",
    "archived",
    "other",
)


def case_actions(status: str) -> list[str]:
    """What the owner may do in `status`, sorted."""
    return sorted(CASE[status])


def leg_actions(status: str) -> list[str]:
    """What holder and sender together may do with a leg in `status`, sorted."""
    return sorted(LEG[status])
