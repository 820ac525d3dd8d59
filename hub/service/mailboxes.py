"""Mailboxes: pages rendered for their agency, long polls, cursors and digests (`/v1/mailbox`)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection
from typing import Any

from hub.errors import Erased, Invalid
from hub.ports.bus import Bus
from hub.ports.sealing import Sealing
from hub.ports.store import MailboxCursors, ReadSession
from hub.service.readers import Readers
from hub.service.rendered import Rendering
from hub.service.writer import Writer


class Mailboxes:
    def __init__(
        self, readers: Readers, writer: Writer, cursors: MailboxCursors, sealing: Sealing, public_url: str
    ) -> None:
        self._readers = readers
        self._writer = writer
        self._cursors = cursors
        self._rendering = Rendering(sealing, public_url)
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._closing = False

    def attach(self, bus: Bus) -> None:
        bus.subscribe(self._wake)

    def close(self) -> None:
        """Ends all long polls; they answer what there is."""
        self._closing = True
        self._wake(tuple(self._waiting))

    async def page(self, agency: str, after: int, limit: int, wait_s: float = 0.0) -> dict[str, Any]:
        """Entries with position > after, oldest first. Waits up to `wait_s` seconds for the first one.
        Erased (410, with `first`) when `after` lies before the first one kept."""
        woken = asyncio.Event()
        waiting = self._waiting.setdefault(agency, set())
        waiting.add(woken)
        try:
            page = await self._read(agency, after, limit)
            deadline = asyncio.get_running_loop().time() + wait_s
            while not page["items"] and not self._closing:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or not await _wait(woken, left):
                    break
                woken.clear()
                page = await self._read(agency, after, limit)
            return page
        finally:
            waiting.discard(woken)
            if not waiting and self._waiting.get(agency) is waiting:
                del self._waiting[agency]

    async def acknowledge(self, agency: str, position: int) -> dict[str, Any]:
        """Moves the agency's cursor. It may go back, but not beyond the last entry."""

        def move(session: ReadSession) -> int:
            return session.mailbox_state(agency).head

        head = await self._readers.run(move)
        if position > head:
            raise Invalid(
                f"position is {position}, but the mailbox ends at {head}.",
                flaws=[("/position", f"A position from 0 to {head} is needed: the `next` of a page.")],
            )
        await self._writer.run(lambda: self._cursors.put_cursor(agency, position))
        return {"position": position}

    async def digest(self, agency: str, first: int, last: int) -> dict[str, Any]:
        """SHA-256 over the lines `position event_id\\n` of an inclusive range; never over rendered bytes."""

        def lines(session: ReadSession) -> dict[str, Any]:
            state = session.mailbox_state(agency)
            if first < state.first:
                raise Erased(
                    f"Positions before {state.first} are no longer kept.",
                    code="mailbox-trimmed",
                    extra={"first": state.first},
                )
            sha256, count = hashlib.sha256(), 0
            for position, event_id in session.mailbox_event_ids(agency, first, last):
                sha256.update(f"{position} {event_id}\n".encode())
                count += 1
            return {"from": first, "to": last, "count": count, "sha256": sha256.hexdigest()}

        return await self._readers.run(lines)

    async def _read(self, agency: str, after: int, limit: int) -> dict[str, Any]:
        def query(session: ReadSession) -> dict[str, Any]:
            state = session.mailbox_state(agency)
            if after < state.first - 1:
                raise Erased(
                    f"The mailbox starts at position {state.first} now; what came before is no longer kept.",
                    code="mailbox-trimmed",
                    extra={"first": state.first},
                )
            renderer = self._rendering.mailbox(session, agency)
            rows = session.mailbox(agency, after, limit)
            items = [{"position": row.position, "event": renderer.event(row)} for row in rows]
            last = items[-1]["position"] if items else after
            return {"items": items, "next": last, "incarnation": session.incarnation()}

        return await self._readers.run(query)

    def _wake(self, agencies: Collection[str]) -> None:
        for agency in agencies:
            for woken in self._waiting.get(agency, ()):
                woken.set()


async def _wait(woken: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):  # `wait_for` may swallow a cancel
            await woken.wait()
    except TimeoutError:
        return False
    return True
