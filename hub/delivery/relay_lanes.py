"""The lanes of the relay: the log, a mailbox each for the agencies on Kafka, answers to inbound records, and
notes of records that could not be taken."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.delivery.relay_reading import LOG, Piece, RelayLane
from hub.domain.agency import Agency
from hub.domain.events import Recorded, event_type
from hub.ports import topics
from hub.ports.broker import Mark, OutRecord
from hub.ports.relaying import DeadLetter, RecordAnswer, Relayed, RelayTable
from hub.ports.sealing import Sealing
from hub.ports.store import MailboxRow, ReadSession
from hub.service.readers import Readers
from hub.service.rendered import Renderer, Rendering

Publish = Callable[[str, Mapping[str, Any], Mark | None], OutRecord]
"""A topic and a CloudEvent to the record (binary mode), with position and incarnation where it has them."""

DEAD_LETTERS: Final = "dead-letters"
REPLY_TYPE: Final = event_type("reply")
DEAD_LETTER_TYPE: Final = event_type("dead_letter")


@dataclass(frozen=True, slots=True)
class Outlet:
    """What all lanes share. `prefix` of the topics, `source` the hub's public URL."""

    readers: Readers
    sealing: Sealing
    table: RelayTable
    publish: Publish
    prefix: str
    source: str


class RelayLanes:
    """Every lane there is now, by the registry's agencies."""

    def __init__(self, outlet: Outlet, agencies: Mapping[str, Agency]) -> None:
        self._outlet = outlet
        self._agencies = agencies
        self._fixed: list[RelayLane] = [LogLane(outlet), DeadLetterLane(outlet)]
        self._rendering = Rendering(outlet.sealing, outlet.source)

    def __call__(self) -> Sequence[RelayLane]:
        chosen = [a.id for a in self._agencies.values() if a.kafka and a.active]
        mailboxes: list[RelayLane] = [MailboxLane(self._outlet, agency, self._rendering) for agency in chosen]
        return [*self._fixed, *mailboxes, *[RecordAnswerLane(self._outlet, agency) for agency in chosen]]


class LogLane:
    """`events`: every event's clear header and sealed part, for the hub's own projections and analysis."""

    name = LOG
    by_position = True

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    async def pieces(self, after: int, limit: int) -> list[Piece]:
        def look(session: ReadSession) -> list[Piece]:
            incarnation = session.incarnation()
            return [self._piece(event, incarnation) for event in session.events_after(after, limit)]

        return await self._outlet.readers.run(look)

    def _piece(self, event: Recorded, incarnation: str) -> Piece:
        fact = event.fact()
        document = {
            "specversion": "1.0",
            "id": fact.id,
            "source": self._outlet.source,
            "type": event_type(fact.type),
            "time": fact.time,
            "subject": fact.subject,
            "sequence": f"{fact.sequence:010d}",
            "datacontenttype": "application/json",
            "data": {
                "stream": event.stream,
                "header": orjson.Fragment(event.header),
                "sealed": None if event.sealed is None else base64.b64encode(event.sealed).decode(),
                "chain": event.chain.hex(),
            },
        }
        outlet, mark = self._outlet, Mark(incarnation, event.position)
        return Piece(event.position, outlet.publish(topics.events(outlet.prefix), document, mark))

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        return Relayed({self.name: pieces[-1].position})


class MailboxLane:
    """`agency.<id>`: the agency's mailbox, rendered as everywhere else."""

    by_position = True

    def __init__(self, outlet: Outlet, agency: str, rendering: Rendering) -> None:
        self._outlet = outlet
        self._agency = agency
        self._rendering = rendering
        self._topic = topics.outbound(outlet.prefix, agency)
        self.name = f"mailbox/{agency}"

    async def pieces(self, after: int, limit: int) -> list[Piece]:
        def look(session: ReadSession) -> list[Piece]:
            incarnation = session.incarnation()
            renderer = self._rendering.mailbox(session, self._agency)
            rows = session.mailbox(self._agency, after, limit)
            return [self._piece(row, renderer, incarnation) for row in rows]

        return await self._outlet.readers.run(look)

    def _piece(self, row: MailboxRow, renderer: Renderer, incarnation: str) -> Piece:
        mark = Mark(incarnation, row.position)
        return Piece(row.position, self._outlet.publish(self._topic, renderer.event(row), mark))

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        return Relayed({self.name: pieces[-1].position})


class RecordAnswerLane:
    """The answers to what an agency sent by its inbound topic, on its own topic, by correlation id."""

    by_position = False

    def __init__(self, outlet: Outlet, agency: str) -> None:
        self._outlet = outlet
        self._agency = agency
        self.name = f"replies/{agency}"
        self._read: list[RecordAnswer] = []

    async def pieces(self, after: int, limit: int) -> list[Piece]:
        table = self._outlet.table
        self._read = await self._outlet.readers.call(lambda: table.record_answers(self._agency, limit))
        return [Piece(place, self._record(answer)) for place, answer in enumerate(self._read)]

    def _record(self, answer: RecordAnswer) -> OutRecord:
        document = {
            "specversion": "1.0",
            "id": f"{answer.topic}/{answer.partition}/{answer.offset}",
            "source": self._outlet.source,
            "type": REPLY_TYPE,
            "time": answer.created_at,
            "subject": answer.correlation,
            "datacontenttype": "application/json",
            "correlationid": answer.correlation,
            "data": orjson.Fragment(answer.document),
        }
        return self._outlet.publish(topics.outbound(self._outlet.prefix, self._agency), document, None)

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        return Relayed({}, record_answers=self._read[: len(pieces)])


class DeadLetterLane:
    """`dead-letter`: cause and origin of each record that could not be taken; never the record."""

    name = DEAD_LETTERS
    by_position = False

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._read: list[DeadLetter] = []

    async def pieces(self, after: int, limit: int) -> list[Piece]:
        table = self._outlet.table
        self._read = await self._outlet.readers.call(lambda: table.unpublished_dead_letters(limit))
        return [Piece(place, self._record(letter)) for place, letter in enumerate(self._read)]

    def _record(self, letter: DeadLetter) -> OutRecord:
        document = {
            "specversion": "1.0",
            "id": letter.id,
            "source": self._outlet.source,
            "type": DEAD_LETTER_TYPE,
            "time": letter.created_at,
            "subject": letter.agency,
            "datacontenttype": "application/json",
            "data": {
                "cause": letter.cause,
                "topic": letter.topic,
                "partition": letter.partition,
                "offset": letter.offset,
                "sha256": letter.sha256,
            },
        }
        return self._outlet.publish(topics.dead_letter(self._outlet.prefix), document, None)

    def settled(self, pieces: Sequence[Piece]) -> Relayed:
        return Relayed({}, dead_letters=self._read[: len(pieces)])
