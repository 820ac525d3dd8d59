"""Follows this agency's mailbox in the hub by long poll: an entry is durable here before it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from connectors.errors import HubRefused
from connectors.hub_client import HubClient
from connectors.hub_reads import incarnation, kept_after
from connectors.inbox import READING_AGAIN, WHOLE, Inbox
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
PAGE = 200


class MailboxReader:
    """`wanted` tells which events take effect at the agency; the others are remembered by id only."""

    def __init__(
        self,
        hub: HubClient,
        spool: Spool,
        inbox: Inbox,
        wanted: Callable[[Mapping[str, Any]], bool],
        wait_s: int,
    ) -> None:
        self._hub, self._spool, self._inbox = hub, spool, inbox
        self._wanted, self._wait_s = wanted, wait_s
        self._was_away = False
        self.on_new: Callable[[], None] = lambda: None
        self.on_restored: Callable[[], None] = lambda: None
        """Called within the commit that notes the new incarnation."""
        self.on_read_again: Callable[[], None] = lambda: None
        """Called after a restore, when the whole mailbox was read again."""

    async def step(self) -> bool:
        """One poll; True when the page was full. A hub that was away answers the first one at once: its
        return would else be noted only when the poll ends."""
        wait_s, self._was_away = 0 if self._was_away else self._wait_s, True
        more = await self.page(wait_s)
        self._was_away = False
        return more

    async def page(self, wait_s: int) -> bool:
        """The next page, for which the hub may wait so long; True when it was full."""
        after = int(self._spool.get("mailbox_position", "0"))
        try:
            page = await self._hub.mailbox(after, PAGE, wait_s)
        except HubRefused as problem:
            self._skip_trimmed(problem)
            return True
        if not self._same_incarnation(str(page.get("incarnation", "")), after):
            return True
        items = page["items"]
        if items:
            self._take(items, int(page["next"]))
            self.on_new()
        await self.acknowledge(int(page["next"]))
        if len(items) < PAGE and self._spool.get(READING_AGAIN):
            self.on_read_again()
            self._spool.put(READING_AGAIN, "")
        return len(items) == PAGE

    async def learn_incarnation(self) -> None:
        """Asks the hub who it is since its last restore, and takes nothing."""
        after = int(self._spool.get("mailbox_position", "0"))
        self._same_incarnation(await incarnation(self._hub, after), after)

    def _take(self, items: list[dict[str, Any]], next_position: int) -> None:
        with self._spool.transaction():
            for item in items:
                self._inbox.take(item["event"], self._wanted(item["event"]), int(item["position"]))
            self._spool.put("mailbox_position", str(next_position))

    async def acknowledge(self, read_up_to: int) -> None:
        """Tells the hub up to where everything took effect at the agency, not merely arrived here."""
        settled = self._inbox.settled_position(read_up_to)
        if settled > int(self._spool.get("mailbox_acknowledged", "0")):
            await self._hub.acknowledge(settled)
            self._spool.put("mailbox_acknowledged", str(settled))

    def _same_incarnation(self, told: str, after: int) -> bool:
        """After a restore positions name other events: all is read again; known ids do nothing."""
        known = self._spool.get("incarnation")
        if known == told:
            return True
        with self._spool.transaction():
            self._spool.put("incarnation", told)
            if not known:
                return True
            self._spool.put("mailbox_position", "0")
            self._spool.put("mailbox_acknowledged", "0")
            self._spool.put(READING_AGAIN, "1")
            self._inbox.forget_positions()
            self.on_restored()
        log.warning(
            "the hub was restored from a backup; reading the mailbox again from its start", was_at=after
        )
        return False

    def _skip_trimmed(self, problem: HubRefused) -> None:
        """Goes on at the first entry that the hub keeps."""
        position = kept_after(problem)
        log.warning("the hub no longer keeps the oldest events of the mailbox", first_kept=position + 1)
        self._spool.put(WHOLE, "")
        self._spool.put("mailbox_position", str(position))
