"""Which case a forwarding or a consultation is of: it never changes, so that nobody asks for it twice."""

from __future__ import annotations

from typing import Final

from hub.service.requests import Outcome

MOST: Final = 10_000
"""Ids that are kept, some 3 MB; the oldest is given up first."""
WITH_PARTS: Final = ("forwardings", "forwarding", "consultation")


class KnownParts:
    """Of this process, on the event loop. It grants nothing: rights are decided in the transaction."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._cases: dict[str, str] = {}

    def case_of(self, part_id: str) -> str | None:
        return self._cases.get(part_id)

    def learn(self, part_id: str, case_id: str) -> None:
        if part_id not in self._cases and len(self._cases) >= self._most:
            del self._cases[next(iter(self._cases))]
        self._cases[part_id] = case_id

    def learn_from(self, outcome: Outcome) -> None:
        """The ids of an outcome that names parts of a case begin with the case's."""
        if outcome.kind in WITH_PARTS:
            for part_id in outcome.ids[1:]:
                self.learn(part_id, outcome.ids[0])
