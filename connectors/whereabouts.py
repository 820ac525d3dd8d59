"""Where a case is now: which agency has it, by its name, and until when; for the app's own row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.channel import path_of
from connectors.errors import HubRefused
from connectors.hub_client import HubClient
from connectors.hub_reads import shown_case
from schemas.case_states import HELD_LEG, OPEN_LEG

WHEREABOUTS: Final = ("handler", "handler_name", "due_at", "due_on")
"""Parameters of a statement: the agency that has the case (its id, its name), and until when (date and time,
or the date alone, on this agency's clock). NULL where nobody has it, or nothing is due."""
NAMES_KEPT_S: Final = 900.0
_STAGE: Final = {"incomplete": "reply"}
"""Case status -> whose time runs while nobody leads: the reporter's, else the owner's (verification)."""

NOBODY: Final[Mapping[str, str | None]] = dict.fromkeys(WHEREABOUTS)


class Whereabouts:
    """Asks the hub for the case as it stands now; agencies' names are kept for a quarter of an hour."""

    def __init__(self, hub: HubClient, zone: ZoneInfo, now_s: Callable[[], float] = time.monotonic) -> None:
        self._hub, self._zone, self._now_s = hub, zone, now_s
        self._names: dict[str, tuple[str, float]] = {}

    async def of(self, case_id: str) -> Mapping[str, str | None]:
        """WHEREABOUTS of the case; NOBODY where the hub shows none to this agency. Raises HubAway."""
        case = await shown_case(self._hub, case_id)
        if case is None:
            return NOBODY
        handler, due = handler_of(case), self._local(due_of(case))
        found = dict(NOBODY) | {"handler": handler, "due_at": due, "due_on": due and due[:10]}
        return found | {"handler_name": await self.name_of(handler) if handler else None}

    async def name_of(self, agency: str) -> str:
        """As the registry has it; its id where that has none (any more)."""
        name, asked_s = self._names.get(agency, ("", 0.0))
        if name and self._now_s() - asked_s < NAMES_KEPT_S:
            return name
        try:
            name = str((await self._hub.get(path_of("agencies", agency))).get("name") or agency)
        except HubRefused:
            name = agency
        self._names[agency] = (name, self._now_s())
        return name

    def _local(self, due_at: str | None) -> str | None:
        if due_at is None:
            return None
        return datetime.fromisoformat(due_at).astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")


def handler_of(case: Mapping[str, Any]) -> str | None:
    """Who leads; where nobody does, the owner. Nobody has a case that is closed."""
    if case["status"] == "closed":
        return None
    lead = _lead(case)
    return str(lead["to"]) if lead else str(case.get("owner") or "") or None


def due_of(case: Mapping[str, Any]) -> str | None:
    """RFC 3339: until when the lead must follow up; where nobody leads, until when the owner must act or,
    where the reporter was asked back, the reporter."""
    if case["status"] in ("answered", "closed", "rejected"):
        return None
    lead = _lead(case)
    if lead is not None:
        return str(lead["due_at"]) if lead["status"] in OPEN_LEG and lead.get("due_at") else None
    stage = _STAGE.get(case["status"], "verification")
    dues = [each["due_at"] for each in case.get("deadlines", ()) if each["stage"] == stage]
    return str(dues[-1]) if dues else None


def _lead(case: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The hub lets one agency lead at a time."""
    legs = case["forwardings"]
    return next((leg for leg in legs if leg["role"] == "lead" and leg["status"] in HELD_LEG), None)
