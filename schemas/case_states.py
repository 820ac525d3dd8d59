"""The states of a case and of its forwardings (legs), for whoever reads them from the hub."""

from __future__ import annotations

from typing import Final

CASE_STATUSES: Final = (
    "submitted",
    "verified",
    "forwarded",
    "in_progress",
    "answered",
    "closed",
    "incomplete",
    "rejected",
)
OPEN_LEG: Final = ("sent", "accepted", "in_progress")
"""Its agency has yet to answer."""
HELD_LEG: Final = (*OPEN_LEG, "answered")
"""Neither returned nor withdrawn: its agency takes part in the case."""
