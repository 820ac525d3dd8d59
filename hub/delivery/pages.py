"""Reads an agency's mailbox for its webhook: pages of parcels, and single bodies for retries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
import structlog

from hub.delivery.lanes import Parcel
from hub.domain.events import TYPE_PREFIX
from hub.ports.sealing import SealBroken, Sealing
from hub.ports.store import MailboxRow, ReadSession
from hub.service.mailboxes import render
from hub.service.threads import Readers

log = structlog.get_logger(__name__)

Entry = tuple[int, Parcel | None]
"""A mailbox position and what is to be sent of it: None where the webhook does not ask for that type."""


class Pages:
    def __init__(self, readers: Readers, sealing: Sealing, public_url: str) -> None:
        self._readers = readers
        self._sealing = sealing
        self._public_url = public_url

    async def read(
        self, agency: str, after: int, limit: int, types: Collection[str] | None, now: str
    ) -> list[Entry]:
        """At most `limit` entries with position > after. `types` None means all; `now` becomes the parcels'
        `created_at`."""

        def look(session: ReadSession) -> list[Entry]:
            rows = session.mailbox(agency, after, limit)
            if types is None:
                wanted = rows
            else:
                wanted = [row for row in rows if full_type(row.event.fact().type) in types]
            parcels = {parcel.position: parcel for parcel in self._parcels(wanted, now)}
            return [(row.position, parcels.get(row.position)) for row in rows]

        return await self._readers.run(look)

    async def body(self, agency: str, position: int) -> bytes | None:
        """The entry as it is to be seen now; None when the mailbox no longer holds it. Raises SealBroken for
        an event that cannot be opened."""

        def look(session: ReadSession) -> bytes | None:
            rows = [r for r in session.mailbox(agency, position - 1, 1) if r.position == position]
            return orjson.dumps(self._render(rows)[0]["event"]) if rows else None

        return await self._readers.run(look)

    def _parcels(self, rows: Sequence[MailboxRow], now: str) -> list[Parcel]:
        try:
            return [_parcel(item["position"], item["event"], now) for item in self._render(rows)]
        except SealBroken:
            return [self._one(row, now) for row in rows]

    def _one(self, row: MailboxRow, now: str) -> Parcel:
        """One altered event must not hold up the others: it goes without a body, and is found dead."""
        try:
            return _parcel(row.position, self._render([row])[0]["event"], now)
        except SealBroken:
            fact = row.event.fact()
            log.error("event_cannot_be_opened", event=fact.id, log_position=row.event.position)
            return Parcel(row.position, fact.id, fact.subject, full_type(fact.type), created_at=now)

    def _render(self, rows: Sequence[MailboxRow]) -> list[dict[str, Any]]:
        return render(rows, self._sealing, self._public_url)


def full_type(name: str) -> str:
    """The CloudEvents type of an event."""
    return f"{TYPE_PREFIX}{name}.v1"


def _parcel(position: int, event: dict[str, Any], now: str) -> Parcel:
    return Parcel(
        position, event["id"], event["subject"], event["type"], body=orjson.dumps(event), created_at=now
    )
