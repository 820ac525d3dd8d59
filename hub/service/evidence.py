"""The export of a case's evidence (`GET /v1/cases/{id}/evidence`): what its reader sees in the history, as it
was recorded, with the keys of just the words that the history shows; all else by its hash."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.audience import Sight
from hub.domain.case import Case
from hub.domain.events import NO_CHAIN, Fact, Recorded, thread_stream
from hub.domain.evidence import FORMAT, VERSION, Path, Signer, path_document, sealed_file
from hub.domain.evidence_sight import beyond, hidden_names
from hub.domain.threads.sight import ThreadSight
from hub.ports.clock import Clock, rfc3339
from hub.ports.effects import Head
from hub.ports.sealing import SealBroken, Sealing, StreamKey, WrappedKey
from hub.ports.store import ReadSession
from hub.service.case_history import handover_entries
from hub.service.evidence_checkpoints import Checkpoints
from hub.service.readers import Readers
from hub.service.rendered import Rendering
from hub.service.rights import allow, sight_of, there

PAGE: Final = 500
CASE: Final = "case"
THREAD: Final = "thread"


@dataclass(slots=True)
class _Stream:
    """A stream as its reader may have it; `rendered` are the events that the history shows, by sequence."""

    name: str
    kind: str
    events: list[Recorded]
    facts: list[Fact]
    seen: Sight | ThreadSight
    wrapped: WrappedKey | None
    rendered: dict[int, dict[str, Any]] = field(default_factory=dict)
    beside: list[dict[str, Any]] = field(default_factory=list)
    """What the same history shows that stands in other streams."""

    @property
    def head(self) -> Head:
        return Head(self.events[-1].sequence, self.events[-1].chain)


@dataclass(frozen=True, slots=True)
class _Handed:
    """A handover of the case: its event in an agency's stream, the link before it, and as it is told."""

    event: Recorded
    fact: Fact
    previous: bytes
    told: dict[str, Any]


class EvidenceDesk:
    """Exports one after the other, each on one reader's thread: the checkpoints' tree is shared."""

    def __init__(
        self,
        readers: Readers,
        sealing: Sealing,
        rendering: Rendering,
        clock: Clock,
        public_url: str,
        agencies: Mapping[str, Agency],
    ) -> None:
        self._readers, self._sealing, self._rendering = readers, sealing, rendering
        self._agencies = agencies
        self._clock, self._hub = clock, public_url
        self._checkpoints = Checkpoints(public_url)
        self._turn = asyncio.Lock()

    async def export(self, principal: Principal, case_id: str, signer: Signer) -> bytes:
        """The file, as `hub.domain.evidence` says. Raises NotFound and Forbidden."""
        async with self._turn:
            return await self._readers.run(lambda session: self._file(session, principal, case_id, signer))

    def _file(self, session: ReadSession, principal: Principal, case_id: str, signer: Signer) -> bytes:
        case = there(session.case(case_id))
        allow(principal, "evidence", case)
        seen = sight_of(principal, case)
        streams = [self._read(session, case_id, CASE, seen)]
        handed = self._handed(session, case, seen)
        streams[0].beside = [each.told for each in handed]
        streams += self._rooms(session, case, principal.agency)
        now = self._clock.now()
        heads = {stream.name: stream.head for stream in streams}
        placed = self._checkpoints.placing(session, heads, signer, now)
        document = {
            "format": FORMAT,
            "version": VERSION,
            "hub": self._hub,
            "incarnation": session.incarnation(),
            "case": case_id,
            "tracking_number": case.state.tracking_number,
            "exported_at": rfc3339(now),
            "exported_for": principal.agency,
            "checkpoint": placed.checkpoint,
            "streams": [
                self._stream(stream, path) for stream, path in zip(streams, placed.paths, strict=True)
            ],
            "handovers": self._handovers(handed, streams[0]),
        }
        return sealed_file(document, signer)

    def _handed(self, session: ReadSession, case: Case, seen: Sight) -> list[_Handed]:
        """The handovers that the reader's history shows. The case's own stream has none of them."""
        found, opener = [], self._rendering.opener()
        for entry in handover_entries(session, case.state, seen):
            event, told = entry.event, self._rendering.event(entry.event, entry.fact, None, opener)
            before = session.stream(event.stream, event.sequence - 2, 1) if event.sequence > 1 else []
            found.append(_Handed(event, entry.fact, before[0].chain if before else NO_CHAIN, told))
        return found

    def _handovers(self, handed: Sequence[_Handed], case: _Stream) -> list[dict[str, Any]]:
        """Each with the link before it in the stream of the agency that handed over. Of that
        stream's other events, which are about other cases, nothing is said."""
        shown = [*case.rendered.values(), *case.beside]
        hidden = hidden_names([each.fact for each in handed], shown, case.seen, self._agencies.keys())
        made = []
        for each in handed:
            event, after = each.event, each.fact.data["version"]
            place = {"after": after, "stream": event.stream, "sequence": event.sequence}
            links = {"previous": each.previous.hex(), "chain": event.chain.hex()}
            beside = beyond(event.header, each.fact, case.seen, hidden)
            made.append(place | links | ({"told": each.told} if beside else {"header": _text(event.header)}))
        return made

    def _rooms(self, session: ReadSession, case: Case, agency: str) -> list[_Stream]:
        """The threads about the case in which the reader takes or took part."""
        found = []
        threads = session.threads_named([room.thread for room in case.state.rooms])
        for name in sorted(threads):
            state = threads[name].state
            if state.participant(agency) is not None:
                seen = ThreadSight(agency, state, session.all_messages(name))
                found.append(self._read(session, thread_stream(name), THREAD, seen))
        return found

    def _read(self, session: ReadSession, name: str, kind: str, seen: Sight | ThreadSight) -> _Stream:
        """The whole stream, and of what its reader sees the words that the history shows."""
        events = _all_events(session, name)
        found = _Stream(
            name, kind, events, [event.fact() for event in events], seen, session.keys([name]).get(name)
        )
        opener = self._rendering.opener()
        for event, fact in zip(events, found.facts, strict=True):
            if seen.shows(fact):
                shown = self._rendering.event(event, fact, found.wrapped, opener)
                found.rendered[event.sequence] = shown
        return found

    def _stream(self, stream: _Stream, path: Path) -> dict[str, Any]:
        shown = [*stream.rendered.values(), *stream.beside]
        hidden = hidden_names(stream.facts, shown, stream.seen, self._agencies.keys())
        key = self._key(stream)
        return {
            "stream": stream.name,
            "kind": stream.kind,
            "length": stream.head.sequence,
            "head": stream.head.chain.hex(),
            "erased": stream.wrapped is None,
            "path": path_document(path),
            "events": [
                self._event(event, fact, stream, hidden, key)
                for event, fact in zip(stream.events, stream.facts, strict=True)
            ],
        }

    def _event(
        self, event: Recorded, fact: Fact, stream: _Stream, hidden: Sequence[bytes], key: StreamKey | None
    ) -> dict[str, Any]:
        """With its bytes; or as the history tells it, where its header names what the reader may not see; or
        by its hash alone."""
        made: dict[str, Any] = {"sequence": event.sequence, "chain": event.chain.hex()}
        told = stream.rendered.get(event.sequence)
        if told is None:
            return made | {"withheld": True}
        if beyond(event.header, fact, stream.seen, hidden):
            return made | {"told": told}
        made["header"] = _text(event.header)
        if event.sealed is not None:
            made["sealed"] = _text(event.sealed)
            if key is not None:
                # What the citizen wrote stays closed where it differs: no history shows it.
                made["keys"] = {"masked": _text(self._sealing.part_key(key, event.id, "masked"))}
        return made

    def _key(self, stream: _Stream) -> StreamKey | None:
        """None once it was destroyed; also where it was altered, which the history's rendering has told."""
        if stream.wrapped is None:
            return None
        try:
            return self._sealing.open_stream_key(stream.wrapped)
        except SealBroken as broken:
            self._rendering.tell(stream.events[0], broken)
            return None


def _all_events(session: ReadSession, name: str) -> list[Recorded]:
    found: list[Recorded] = []
    while page := session.stream(name, len(found), PAGE):
        found += page
    return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
