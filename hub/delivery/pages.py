"""Reads an agency's mailbox for its webhook: pages of parcels, and single bodies for retries."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from hub.delivery.lanes import Parcel
from hub.domain.events import event_type
from hub.ports.sealing import Sealing
from hub.ports.store import MailboxRow, ReadSession
from hub.service.readers import Readers
from hub.service.rendered import Renderer, Rendering

Entry = tuple[int, Parcel | None]
"""A mailbox position and what is to be sent of it: None where the webhook does not ask for that type."""


class Pages:
    def __init__(self, readers: Readers, sealing: Sealing, public_url: str) -> None:
        self._readers = readers
        self._rendering = Rendering(sealing, public_url)

    async def read(
        self, agency: str, after: int, limit: int, types: Collection[str] | None, now: str
    ) -> list[Entry]:
        """At most `limit` entries with position > after. `types` None means all; `now` becomes the parcels'
        `created_at`."""

        def look(session: ReadSession) -> list[Entry]:
            renderer = self._rendering.mailbox(session, agency)
            rows = session.mailbox(agency, after, limit)
            return [(row.position, _parcel(row, renderer, types, now)) for row in rows]

        return await self._readers.run(look)

    async def body(self, agency: str, position: int) -> bytes | None:
        """The entry as it is to be seen now; None when the mailbox no longer holds it."""

        def look(session: ReadSession) -> bytes | None:
            for row in session.mailbox(agency, position - 1, 1):
                if row.position == position:
                    return orjson.dumps(self._rendering.mailbox(session, agency).event(row))
            return None

        return await self._readers.run(look)


def _parcel(row: MailboxRow, renderer: Renderer, types: Collection[str] | None, now: str) -> Parcel | None:
    fact = row.event.fact()
    type_ = event_type(fact.type)
    if types is not None and type_ not in types:
        return None
    body = orjson.dumps(renderer.event(row, fact))
    return Parcel(row.position, fact.id, fact.subject, type_, body=body, created_at=now)
