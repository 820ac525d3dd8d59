"""Compares what the hub acknowledged with what it has: after a restore it may lack complaints.

Those go back to waiting, are read again from the app's rows, and are sent again. Nobody retypes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from connectors.errors import HubRefused
from connectors.hub_client import HubClient
from connectors.hub_reads import incarnation, listed
from connectors.outbox import Outbox
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
PAGE = 10_000
PAGE_BYTES = 512 * 1024
DAILY_S = 86_400.0


class Reconciler:
    """One comparison at a start, one a day, and one at every new incarnation of the hub."""

    def __init__(
        self, hub: HubClient, spool: Spool, outbox: Outbox, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._hub, self._spool, self._outbox, self._now_s = hub, spool, outbox, now_s
        self._next_s = now_s()

    async def step(self) -> bool:
        told, known = await self._incarnation(), self._spool.get("compared_incarnation")
        if self._now_s() < self._next_s and told == known:
            return False
        await self.compare()
        if told != known != "":
            await self.route_again()
        self._spool.put("compared_incarnation", told)
        self._next_s = self._now_s() + DAILY_S
        return False

    async def compare(self) -> int:
        """Asks for every acknowledged reference, page by page; how many the hub lacks."""
        after, lost = "", 0
        while references := within_bytes(self._outbox.sent_after(after, PAGE)):
            answer = await self._hub.post("/v1/submissions/missing", {"references": references})
            missing = [str(reference) for reference in answer.get("references", [])]
            lost += self._outbox.lose(missing)
            after = references[-1]
        if lost:
            log.warning("the hub lacks complaints that it had; reading and sending them again", count=lost)
        return lost

    async def route_again(self) -> int:
        """Complaints that the hub has, but without the verification or forwarding made after the backup; also
        those whose next step failed for want of it."""
        again = 0
        for status in ("submitted", "verified"):
            async for case in listed(self._hub, f"/v1/cases?status={status}"):
                entry = None if case["forwardings"] else self._outbox.by_case(str(case["id"]))
                if entry is not None and entry.route_state in ("forward", "done", "failed"):
                    self._outbox.routed(entry, "verify")
                    again += 1
        if again:
            log.warning("the hub lacks forwardings that it had; making them again", count=again)
        return again

    async def _incarnation(self) -> str:
        """Empty where this client may not read its mailbox."""
        try:
            return await incarnation(self._hub)
        except HubRefused:
            return ""


def within_bytes(references: list[str]) -> list[str]:
    """As many from the front as fit one request."""
    size, count = 0, 0
    for reference in references:
        size += len(reference.encode()) + 8
        if count and size > PAGE_BYTES:
            break
        count += 1
    return references[:count]
