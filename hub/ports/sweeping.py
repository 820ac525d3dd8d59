"""Port: what the hub's own sweeps read of cases. Part of the store's read session (`hub/ports/store.py`),
whose guarantees hold here too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.domain.case import Case


class SweepReads(Protocol):
    """On the session's snapshot."""

    def open_cases_of(self, agency: str, after: str, limit: int) -> list[Case]:
        """By id, those behind `after` that are open and that the agency owns or handles."""
        ...

    def ended_cases(self, classification: str, after: tuple[str, str], limit: int) -> list[Case]:
        """Those that have ended and are not erased, by (when they ended, id), behind `after`."""
        ...

    def cases_named(self, case_ids: Sequence[str]) -> dict[str, Case]: ...
