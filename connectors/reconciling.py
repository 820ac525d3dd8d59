"""Compares what the hub acknowledged with what it has: after a restore it may lack complaints.

Those go back to waiting, are read again from the app's rows, and are sent again. Nobody retypes them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

import structlog

from connectors.errors import HubRefused
from connectors.hub_client import HubClient
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
        incarnation = await incarnation_of(self._hub)
        known = self._spool.get("compared_incarnation")
        if self._now_s() < self._next_s and incarnation == known:
            return False
        await self.compare()
        if incarnation != known != "":
            await self.route_again()
        self._spool.put("compared_incarnation", incarnation)
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
            async for case in self._cases(status):
                entry = None if case["forwardings"] else self._outbox.by_case(str(case["id"]))
                if entry is not None and entry.route_state in ("forward", "done", "failed"):
                    self._outbox.routed(entry, "verify")
                    again += 1
        if again:
            log.warning("the hub lacks forwardings that it had; making them again", count=again)
        return again

    async def _cases(self, status: str) -> AsyncIterator[dict[str, Any]]:
        more = ""
        while True:
            page = await self._hub.get(f"/v1/cases?status={status}&limit=200{more}")
            for case in page["items"]:
                yield case
            if not page.get("next"):
                return
            more = f"&cursor={quote(page['next'])}"


def within_bytes(references: list[str]) -> list[str]:
    """As many from the front as fit one request."""
    size, count = 0, 0
    for reference in references:
        size += len(reference.encode()) + 8
        if count and size > PAGE_BYTES:
            break
        count += 1
    return references[:count]


async def incarnation_of(hub: HubClient) -> str:
    """What a restore of the hub changes; "" where this client may not read its mailbox."""
    after = 0
    for _ in range(2):
        try:
            return str((await hub.mailbox(after, 1, 0)).get("incarnation", ""))
        except HubRefused as problem:
            if problem.status != 410 or problem.first is None:
                break
            after = problem.first - 1  # the front was trimmed
    return ""
