"""The one table of what may follow what: cases, their forwardings and consultations. Decisions, 409 answers,
`actions` and the documentation's diagram (`diagram.py`) are all made from here."""

from __future__ import annotations

from typing import Final

OPEN_LEG: Final = frozenset({"sent", "accepted", "in_progress"})
HELD_LEG: Final = frozenset({"sent", "accepted", "in_progress", "answered"})
"""A leg that was neither returned nor withdrawn: its agency takes part in the case."""
WORKING_LEG: Final = frozenset({"accepted", "in_progress"})
"""Its agency handles the case now, and may forward it onward."""

Moves = dict[str, tuple[str, ...]]
"""Action -> the statuses that it may lead to."""
Conditions = dict[tuple[str, str, str], str]
"""(from, action, to) -> when it leads there, for readers of the documentation; the decisions decide."""

CASE: Final[dict[str, Moves]] = {
    "submitted": {
        "verify": ("verified", "incomplete", "rejected"),
        "reply": ("submitted",),
        "escalate": ("submitted",),
        "close": ("closed",),
    },
    "incomplete": {
        "verify": ("verified", "incomplete", "rejected"),
        "reply": ("submitted",),
        "escalate": ("incomplete",),
        "close": ("closed",),
    },
    "verified": {
        "consult": ("verified",),
        "forward": ("forwarded",),
        "reply": ("verified",),
        "escalate": ("verified",),
        "close": ("closed",),
    },
    "forwarded": {
        "consult": ("forwarded",),
        "forward": ("forwarded",),
        "reply": ("forwarded",),
        "escalate": ("forwarded",),
    },
    "in_progress": {
        "consult": ("in_progress",),
        "forward": ("in_progress",),
        "reply": ("in_progress",),
        "escalate": ("in_progress",),
        "close": ("closed",),
    },
    "answered": {
        "reply": ("answered",),
        "escalate": ("answered",),
        "close": ("closed",),
        "reopen": ("in_progress", "verified"),  # verified: it was answered before the hub knew it
    },
    "rejected": {"close": ("closed",)},
    "closed": {"reopen": ("in_progress", "verified", "submitted")},
}
"""Case status -> what may be done with the case as a whole: by its owner, but for SOURCES. Closing needs that
no leg is open; reopening and escalating have limits of their own."""

WHEN: Final[Conditions] = {
    ("submitted", "verify", "verified"): "the decision is accept",
    ("submitted", "verify", "incomplete"): "the decision is incomplete: the reporter is asked",
    ("submitted", "verify", "rejected"): "the decision is reject",
    ("incomplete", "verify", "verified"): "the decision is accept",
    ("incomplete", "verify", "incomplete"): "the decision is incomplete: the reporter is asked again",
    ("incomplete", "verify", "rejected"): "the decision is reject",
    ("answered", "reopen", "in_progress"): "an agency answered it here: it goes on there",
    ("answered", "reopen", "verified"): "it was answered before the hub knew it",
    ("closed", "reopen", "in_progress"): "an agency answered it here before it was closed",
    ("closed", "reopen", "verified"): "it had been verified, and no agency had answered it here",
    ("closed", "reopen", "submitted"): "it had not been verified",
}
"""Of CASE: for each action that may lead to several statuses, and for no other."""

SOURCES: Final = frozenset({"reply", "reopen", "escalate"})
"""What the reporter has a part in, so that the case's source may do it."""
REPORTERS: Final = frozenset({"reply"})
"""What the source alone may do: the reporter's own words."""

BY_TIME: Final[dict[str, Moves]] = {
    "incomplete": {"no reply in time": ("closed",)},
    "answered": {"no reply in time": ("closed",)},
}
"""Case status -> where it goes by itself (see `lapses`)."""

WHEN_TIME: Final[Conditions] = {
    (
        "incomplete",
        "no reply in time",
        "closed",
    ): "by itself: the time for what the reporter was asked is over",
    ("answered", "no reply in time", "closed"): "by itself: the time for the reporter to disagree is over",
}
"""Of BY_TIME: nobody acts."""

BY_LEGS: Final[dict[str, Moves]] = {
    "forwarded": {
        "accept": ("in_progress",),
        "return": ("forwarded", "verified"),
        "withdraw": ("forwarded", "verified"),
    },
    "in_progress": {
        "accept": ("in_progress",),
        "progress": ("in_progress",),
        "answer": ("in_progress", "answered"),
        "return": ("in_progress", "forwarded", "verified", "answered"),
        "withdraw": ("in_progress", "forwarded", "verified", "answered"),
    },
}
"""Case status -> where the case goes when one of its legs moves (see `case.status_from_legs`)."""

_ALL_ANSWERED: Final = "the lead has answered, and no forwarding is open"
_SOME_WORK: Final = "another agency has accepted or answered, and not all is answered"
_NONE_WORKS: Final = "other forwardings are left, and none is accepted yet"
_NONE_LEFT: Final = "no other forwarding is left"

WHEN_LEGS: Final[Conditions] = {
    ("forwarded", "return", "forwarded"): _NONE_WORKS,
    ("forwarded", "return", "verified"): _NONE_LEFT,
    ("forwarded", "withdraw", "forwarded"): _NONE_WORKS,
    ("forwarded", "withdraw", "verified"): _NONE_LEFT,
    ("in_progress", "answer", "in_progress"): "the lead has not answered, or a forwarding is open",
    ("in_progress", "answer", "answered"): _ALL_ANSWERED,
    ("in_progress", "return", "in_progress"): _SOME_WORK,
    ("in_progress", "return", "forwarded"): _NONE_WORKS,
    ("in_progress", "return", "verified"): _NONE_LEFT,
    ("in_progress", "return", "answered"): _ALL_ANSWERED,
    ("in_progress", "withdraw", "in_progress"): _SOME_WORK,
    ("in_progress", "withdraw", "forwarded"): _NONE_WORKS,
    ("in_progress", "withdraw", "verified"): _NONE_LEFT,
    ("in_progress", "withdraw", "answered"): _ALL_ANSWERED,
}
"""Of BY_LEGS, as WHEN is of CASE."""

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
"""Leg status -> action -> next status, for a leg that may be returned."""

LEG_BY_CASE: Final[dict[str, dict[str, str]]] = {"answered": {"reopen": "in_progress"}}
"""Leg status -> what happens to the case -> next status, for the leg that leads it."""

RECONSIDER: Final = "reconsider"
"""What a binding leg has instead of being returned, once: its sender is asked to reconsider it."""

CONSULTATION: Final[dict[str, dict[str, str]]] = {"open": {"answer": "answered"}, "answered": {}}
"""Consultation status -> action of the agency that was asked -> next status."""

STATUS_BY_DECISION: Final = {"accept": "verified", "incomplete": "incomplete", "reject": "rejected"}
VERDICTS: Final = ("ours", "partly", "not_ours")
RETURN_REASONS: Final = ("not_ours", "outside_region", "needs_information", "duplicate", "other")
CLOSURE_REASONS: Final = (
    "resolved",
    "no_reply",
    "withdrawn_by_reporter",
    "duplicate",
    "archived",
    "other",
)


def case_actions(status: str, *, owner: bool, source: bool) -> set[str]:
    """What an agency that is the case's owner, its source, or both may do in `status`."""
    moves = CASE[status].keys()
    return (set(moves) - REPORTERS if owner else set()) | (moves & SOURCES if source else set())


def leg_moves(status: str, *, binding: bool = False, reconsidered: bool = False) -> dict[str, str]:
    """Action -> next status. A `binding` leg names the handler after an escalation: it cannot be returned,
    only asked to be reconsidered, once."""
    moves = dict(LEG[status])
    if binding and moves:
        del moves["return"]
        if not reconsidered:
            moves[RECONSIDER] = status
    return moves
