"""What a connector does when a case was erased in the hub: its own copies go, then the agency's by what the
configuration names, and only then the receipt says so."""

from __future__ import annotations

import shlex
from typing import Any, Protocol

import structlog

from connectors.channel import path_of
from connectors.config import Common
from connectors.erased import DONE, UNCONFIRMED, Erasures
from connectors.errors import HubRefused, NotAllowed, NotNow
from connectors.hub_client import HubClient
from connectors.hub_reads import Case, shown_case
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")


class Copies(Protocol):
    """The copies in the agency's own system."""

    async def erase(self, event: dict[str, Any], case: Case | None) -> str:
        """Erases them by what the configuration names, harmlessly when repeated. "" when none is left there,
        else what a person must do. `case` is None where the hub shows it to this agency no more."""


class Eraser:
    """The handler of the inbox for `reporter.erased`; however often it is killed, it begins anew. The event
    stays in the spool until the receipt was posted."""

    def __init__(self, hub: HubClient, spool: Spool, config: Common, copies: Copies) -> None:
        self._hub, self._spool, self._agency, self._file = hub, spool, config.agency, config.file
        self._copies, self._erasures = copies, Erasures(spool)

    async def handle(self, event: dict[str, Any]) -> str:
        case_id = str(event["subject"])
        self._wipe()
        case = await shown_case(self._hub, case_id)
        self._erasures.forget(case_id, self._own_reference(case), parts_of(case))
        self._wipe()
        left = await self._copies.erase(event, case)
        if left:
            self._erasures.settle(case_id, UNCONFIRMED)
            log.warning(
                "a case was erased in the hub; copies may be left at this agency, so it has no receipt",
                case_id=case_id,
                left=left,
                then=receipt_command(self._file, case_id),
            )
            return ""
        refused = await post_receipt(self._hub, case_id)
        self._erasures.settle(case_id, DONE)
        log.info("case was erased in the hub; its copies are gone here", case_id=case_id, receipt=not refused)
        return ""

    def _wipe(self) -> None:
        if not self._spool.forget_freed():
            raise NotNow("another process reads in the spool; what was erased is still in its log")

    def _own_reference(self, case: Case | None) -> str | None:
        """Of a report of this agency's that the spool did not know to be this case."""
        source = case["complaint"].get("source", {}) if case else {}
        return str(source["reference"]) if source.get("agency") == self._agency else None


def receipt_command(file: str, case_id: str) -> str:
    """What a person types into a shell to confirm the erasure."""
    return shlex.join(["simpul-connector", "receipt", file, case_id])


def parts_of(case: Case | None) -> list[str]:
    """The ids of its forwardings."""
    return [str(leg["id"]) for leg in case["forwardings"]] if case else []


def threads_of(case: Case | None) -> list[str]:
    """The ids of the threads about it, as far as this agency sees them."""
    return [str(thread["id"]) for thread in case.get("threads", ())] if case else []


async def post_receipt(hub: HubClient, case_id: str) -> str:
    """Tells the hub that this agency's copies are gone; again is harmless. "" when it took it, else why none
    is waited for. Raises HubAway, and NotAllowed where the client may not."""
    try:
        await hub.post(path_of("cases", case_id, "erasure", "receipts"), {}, f"erased-{case_id}")
    except HubRefused as problem:
        if problem.status == 403:
            raise NotAllowed(f"the hub does not let this client confirm an erasure: {problem}") from problem
        if problem.status not in (404, 409, 410):
            raise
        return str(problem)
    return ""
