"""Which complaint of this app a case of the hub is."""

from __future__ import annotations

import structlog

from connectors.doubled_keys import MORE_THAN_ONE, ONE_IS_THERE, another_row
from connectors.entries import Entry
from connectors.errors import NotConfigured
from connectors.hub_client import HubClient
from connectors.hub_reads import shown_case
from connectors.outbox import Outbox

log = structlog.get_logger("simpul-connector")


class OwnCases:
    """What the spool knows of a case; where it does not know it, the hub does."""

    def __init__(self, outbox: Outbox, hub: HubClient, agency: str) -> None:
        self._outbox, self._hub, self._agency = outbox, hub, agency

    async def entry(self, case_id: str) -> Entry | None:
        """None when it is no complaint of this app. Raises HubAway, and NotConfigured where what is written
        by its key would reach another report too."""
        entry = self._outbox.by_case(case_id) or await self._ask(case_id)
        if entry is not None:
            self._check_alone(entry)
        return entry

    def _check_alone(self, entry: Entry) -> None:
        beside = self._outbox.find([another_row(entry.reference)]).values()
        if any(other.reason == ONE_IS_THERE for other in beside):
            log.warning("nothing is written to a report whose key stands twice", reference=entry.reference)
            raise NotConfigured(MORE_THAN_ONE)

    async def _ask(self, case_id: str) -> Entry | None:
        """The event was faster than the acknowledgement, or belongs to somebody else: the case knows."""
        case = await shown_case(self._hub, case_id)
        source = case["complaint"].get("source", {}) if case else {}
        if source.get("agency") != self._agency:
            return None
        return self._outbox.find([str(source["reference"])]).get(str(source["reference"]))
