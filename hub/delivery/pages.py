"""Reads an agency's mailbox for its webhook: pages of parcels, and single bodies for retries."""

from __future__ import annotations

from collections.abc import Callable, Collection

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
    def __init__(
        self, readers: Readers, sealing: Sealing, public_url: str, generation: Callable[[], int]
    ) -> None:
        """`generation` is the registry's, which an erasure raises too: a body that was read before is not
        sent any more."""
        self._readers = readers
        self._rendering = Rendering(sealing, public_url)
        self._generation = generation

    async def read(
        self, agency: str, after: int, limit: int, types: Collection[str] | None, now: str
    ) -> list[Entry]:
        """At most `limit` entries with position > after. `types` None means all; `now` becomes the parcels'
        `created_at`."""

        read_in = self._generation()

        def look(session: ReadSession) -> list[Entry]:
            renderer = self._rendering.mailbox(session, agency)
            rows = session.mailbox(agency, after, limit)
            return [(row.position, _parcel(row, renderer, types, now, read_in)) for row in rows]

        return await self._readers.glance(look)

    def fresh(self, parcel: Parcel) -> bytes | None:
        """The body that it holds, if nothing was erased since that was read."""
        return parcel.body if parcel.read_in == self._generation() else None

    async def body(self, agency: str, position: int) -> bytes | None:
        """The entry as it is to be seen now; None when the mailbox no longer holds it."""
        while True:
            read_in = self._generation()
            found = await self._body(agency, position)
            if read_in == self._generation():
                return found

    async def _body(self, agency: str, position: int) -> bytes | None:
        def look(session: ReadSession) -> bytes | None:
            for row in session.mailbox(agency, position - 1, 1):
                if row.position == position:
                    return orjson.dumps(self._rendering.mailbox(session, agency).event(row))
            return None

        return await self._readers.glance(look)


def _parcel(
    row: MailboxRow, renderer: Renderer, types: Collection[str] | None, now: str, read_in: int
) -> Parcel | None:
    fact = row.event.fact()
    type_ = event_type(fact.type)
    if types is not None and type_ not in types:
        return None
    body = orjson.dumps(renderer.event(row, fact))
    return Parcel(row.position, fact.id, fact.subject, type_, body=body, read_in=read_in, created_at=now)
