"""Which complaint of this app a case of the hub is."""

from __future__ import annotations

from connectors.entries import Entry
from connectors.hub_client import HubClient
from connectors.hub_reads import shown_case
from connectors.outbox import Outbox


class OwnCases:
    """What the spool knows of a case; where it does not know it, the hub does."""

    def __init__(self, outbox: Outbox, hub: HubClient, agency: str) -> None:
        self._outbox, self._hub, self._agency = outbox, hub, agency

    async def entry(self, case_id: str) -> Entry | None:
        """None when it is no complaint of this app. Raises HubAway."""
        return self._outbox.by_case(case_id) or await self._ask(case_id)

    async def _ask(self, case_id: str) -> Entry | None:
        """The event was faster than the acknowledgement, or belongs to somebody else: the case knows."""
        case = await shown_case(self._hub, case_id)
        source = case["complaint"].get("source", {}) if case else {}
        if source.get("agency") != self._agency:
            return None
        return self._outbox.find([str(source["reference"])]).get(str(source["reference"]))
