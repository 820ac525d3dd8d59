"""Verifies an evidence file with nothing but public keys, and names the first link that is broken.

First the links in their order (each event's bytes, its place, its disclosed words, the stream's place in the
checkpoint, the checkpoint's signature), which say where something was touched; then digest and signature over
the whole, which leave no byte out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from hub.domain.events import NO_CHAIN, chain
from hub.domain.evidence import (
    CHECKPOINT,
    FORMAT,
    VERSION,
    WHOLE,
    EvidenceBroken,
    checkpoint_bytes,
    climb,
    leaf,
)
from hub.domain.evidence_form import Form, of
from hub.errors import SimpulError

_END: Final = re.compile(
    rb',"sha256":"([0-9a-f]{64})","signature":\{"kid":"([A-Za-z0-9_-]{43})","value":"([A-Za-z0-9_-]{86})"\}\}'
)
END_BYTES: Final = len(',"sha256":"","signature":{"kid":"","value":""}}') + 64 + 43 + 86


@dataclass(frozen=True, slots=True)
class Trust:
    """What verification needs besides the file. `holds(kid, purpose, message, signature)`: whether the
    signature is right, None where there is no such key. `parts(sealed)`: the names of the sealed parts;
    `open_part(key, event_id, sealed, part)`: a part's bytes. Both raise a SimpulError for what is broken."""

    holds: Callable[[str, str, bytes, str], bool | None]
    parts: Callable[[bytes], Sequence[str]]
    open_part: Callable[[bytes, str, bytes, str], bytes]


@dataclass(slots=True)
class Summary:
    """What a file that holds says. Of events: `shown` with their bytes, `told` in the hub's words without
    them, `withheld` by their hash alone; of the sealed parts of shown events: `opened` by a disclosed key,
    `closed`, or `erased`. `handovers` of the case stand apart, each in the stream of whoever handed over."""

    case: str
    hub: str
    exported_at: str
    exported_for: str
    checkpoint_at: str
    kid: str
    events: int = 0
    shown: int = 0
    told: int = 0
    withheld: int = 0
    opened: int = 0
    closed: int = 0
    erased: int = 0
    handovers: int = 0

    def document(self) -> dict[str, Any]:
        return asdict(self)


def verified(data: bytes, trust: Trust) -> Summary:
    """What the file says, if nothing in it was touched; else EvidenceBroken with the first broken link."""
    touched = touched_as_a_whole(data, trust)
    summary = _Check(trust).file(of(data))
    if touched is not None:
        raise EvidenceBroken(touched)
    return summary


def touched_as_a_whole(data: bytes, trust: Trust) -> str | None:
    """Why digest or signature over the whole do not hold, in words; None when no byte was touched."""
    end = _END.fullmatch(data[-END_BYTES:])
    if end is None:
        return _blanks_after(data, trust) or (
            "The file does not end with its digest and signature as the hub writes them."
        )
    digest, kid, value = (each.decode("ascii") for each in end.groups())
    if hashlib.sha256(data[:-END_BYTES]).hexdigest() != digest:
        return (
            "The links hold, but the digest over the whole file does not: something that no link covers was "
            "changed, or a blank or the order of its members."
        )
    return _refused(trust, kid, WHOLE, digest.encode(), value, "the file")


def _blanks_after(data: bytes, trust: Trust) -> str | None:
    """A file that ends as it should but for blanks and line breaks: who saved it added them, knowingly or
    not. Every byte counts all the same."""
    bare = data.rstrip(b" \t\r\n")
    if bare == data or not _END.fullmatch(bare[-END_BYTES:]):
        return None
    else_touched = touched_as_a_whole(bare, trust)
    return (
        "A line break or a blank was added to the file after its end, as a shell's `echo` or an editor does; "
        f"{else_touched or 'nothing else was touched.'} Save it with `curl -o FILE`, which adds nothing."
    )


def _refused(trust: Trust, kid: str, purpose: str, message: bytes, value: str, what: str) -> str | None:
    holds = trust.holds(kid, purpose, message, value)
    if holds is None:
        return (
            f"The signature of {what} names the key {kid}, which is not among the hub's keys given here. "
            "Give the hub's key set of that time with --keys."
        )
    return None if holds else f"The signature of {what} is not one of the hub's key {kid}."


class _Check:
    """One file, link by link."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._summary = Summary("", "", "", "", "", "")

    def file(self, given: Form) -> Summary:
        if (given.text("format"), given.whole("version")) != (FORMAT, VERSION):
            raise EvidenceBroken(f"This is no {FORMAT} of version {VERSION}.")
        for name in ("case", "hub", "exported_at", "exported_for"):
            setattr(self._summary, name, given.text(name))
        said = given.inner("checkpoint")
        root = said.hash("root")
        streams = given.inners("streams")
        for stream in streams:
            self._stream(stream, root)
        if [stream.text("stream") for stream in streams][:1] != [self._summary.case]:
            raise EvidenceBroken("The first stream of the file is not that of its case.")
        self._checkpoint(given, said)
        if given.has("handovers"):  # not in the files of an older hub
            self._handovers(given.inners("handovers"))
        return self._summary

    def _checkpoint(self, given: Form, said: Form) -> None:
        signature = said.inner("signature")
        kid, value = signature.text("kid"), signature.text("value")
        message = checkpoint_bytes(said.members)
        if problem := _refused(self._trust, kid, CHECKPOINT, message, value, "the checkpoint"):
            raise EvidenceBroken(problem)
        for name in ("hub", "incarnation"):
            if given.text(name) != said.text(name):
                raise EvidenceBroken(f"The checkpoint is of another {name} than the file.")
        self._summary.checkpoint_at = said.text("made_at")
        self._summary.kid = given.inner("signature").text("kid")

    def _stream(self, stream: Form, root: bytes) -> None:
        """Its events one by one, then its end, then its place in the checkpoint."""
        name, length, head = stream.text("stream"), stream.whole("length"), stream.hash("head")
        erased, events = stream.flag("erased"), stream.inners("events")
        previous = NO_CHAIN
        for number, event in enumerate(events, 1):
            previous = self._event(event, name, number, previous, erased)
        if len(events) != length:
            raise EvidenceBroken(
                f"Stream {name} has {length} events, but the file has {len(events)}: "
                f"{'the last were' if len(events) < length else 'there was something'} "
                f"{'removed' if len(events) < length else 'added'}."
            )
        if previous != head:
            raise EvidenceBroken(f"The last event of stream {name} is not the one that its head names.")
        path = [(step.text("side"), step.hash("hash")) for step in stream.inners("path")]
        if climb(leaf(name, length, head), path) != root:
            raise EvidenceBroken(
                f"Stream {name} is not in the checkpoint with this length and this last event: its end was "
                "changed, or the checkpoint is another one."
            )

    def _event(self, event: Form, stream: str, number: int, previous: bytes, erased: bool) -> bytes:
        """The event's own chain hash."""
        where = f"Event {number} of stream {stream}"
        if event.whole("sequence") != number:
            raise EvidenceBroken(
                f"{where} is not where it should be: number {number - 1} is followed by "
                f"{event.whole('sequence')}. An event was removed, added or moved."
            )
        link = event.hash("chain")
        self._summary.events += 1
        if event.has("header"):
            self._summary.shown += 1
            self._shown(event, where, stream, previous, erased)
        elif event.has("told"):
            self._summary.told += 1
            told = event.inner("told")
            subject = stream.rpartition("/")[2]
            if (told.text("subject"), told.text("sequence")) != (subject, f"{number:010d}"):
                raise EvidenceBroken(f"{where} is told as another event than it is.")
        else:
            self._summary.withheld += 1
        return link

    def _handovers(self, handed: Sequence[Form]) -> None:
        known: set[tuple[str, int]] = set()
        for number, each in enumerate(handed, 1):
            place = each.text("stream"), each.whole("sequence")
            if place in known:
                raise EvidenceBroken(f"Handover {number} of the file is there twice.")
            known.add(place)
            where = f"Handover {number} of the file, event {place[1]} of stream {place[0]},"
            if self._passed_on(each, where, *place).text("case_id") != self._summary.case:
                raise EvidenceBroken(f"{where} is of another case.")
            self._summary.handovers += 1

    def _passed_on(self, handed: Form, where: str, stream: str, sequence: int) -> Form:
        """The data of one handover, whose link follows from the one before it in its own stream."""
        previous, _ = handed.hash("previous"), handed.hash("chain")
        if handed.has("told"):
            told, subject = handed.inner("told"), stream.rpartition("/")[2]
            if (told.text("subject"), told.text("sequence")) != (subject, f"{sequence:010d}"):
                raise EvidenceBroken(f"{where} is told as another event than it is.")
            return told.inner("data")
        self._shown(handed, where, stream, previous, erased=False)
        data = of(handed.bytes("header")).inner("data")
        if data.whole("version") != handed.whole("after"):
            raise EvidenceBroken(f"{where} has another place in the case.")
        return data

    def _shown(self, event: Form, where: str, stream: str, previous: bytes, erased: bool) -> None:
        header, sealed = event.bytes("header"), event.bytes("sealed") if event.has("sealed") else None
        if chain(previous, header, sealed) != event.hash("chain"):
            raise EvidenceBroken(
                f"{where} does not follow from the one before it: its bytes, its hash or the hash before it "
                "were changed."
            )
        fact = of(header)
        if (fact.text("stream"), fact.whole("sequence")) != (stream, event.whole("sequence")):
            raise EvidenceBroken(f"{where} was recorded as another event.")
        keys = event.inner("keys") if event.has("keys") else None
        if sealed is None:
            if keys is not None:
                raise EvidenceBroken(f"{where} has no sealed words, but a key for some.")
            return
        self._parts(fact.text("id"), sealed, keys, where, erased)

    def _parts(self, event_id: str, sealed: bytes, keys: Form | None, where: str, erased: bool) -> None:
        """Each disclosed key opens its part."""
        given = set(keys.members) if keys else set()
        try:
            present = set(self._trust.parts(sealed))
            for part in sorted(given & present):
                assert keys is not None
                self._trust.open_part(keys.bytes(part), event_id, sealed, part)
        except EvidenceBroken:
            raise
        except (SimpulError, ValueError) as broken:
            raise EvidenceBroken(f"{where}: the disclosed key does not open its words. {broken}") from broken
        if given - present or (given and erased):
            raise EvidenceBroken(f"{where} discloses a key for words that it does not have.")
        self._summary.opened += len(given)
        left = len(present) - len(given)
        if erased:
            self._summary.erased += left
        else:
            self._summary.closed += left
