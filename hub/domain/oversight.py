"""When a case may go to the Ombudsman."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from hub.domain.case import CaseState
from hub.domain.working_time import instant, written


@dataclass(frozen=True, slots=True)
class OversightRule:
    """`after_days` calendar days after the complaint was submitted; in force from `valid_from` (ISO date)."""

    valid_from: str
    after_days: int
    source: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


OMBUDSMAN: Final = OversightRule(
    "1900-01-01", 60, "the Ombudsman may take over 60 days after the complaint if the reporter agrees"
)


def oversight_opens(state: CaseState) -> str:
    """From when on the case may be escalated to the Ombudsman (RFC 3339 in UTC)."""
    return written(instant(state.created_at) + timedelta(days=OMBUDSMAN.after_days))
