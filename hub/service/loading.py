"""Loads what one batch needs into the overlay that it is decided on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from hub.domain.agency import Agency
from hub.domain.audience import duplicates
from hub.domain.case import Case
from hub.domain.commands import EraseRetained
from hub.domain.events import agency_stream, thread_stream
from hub.domain.handover import HandOver
from hub.domain.threads.commands import EditMessage, PostMessage, WithdrawMessage
from hub.domain.threads.thread import Message, Thread
from hub.ports.effects import Found, Wanted
from hub.ports.relaying import Place
from hub.ports.store import WriteTransaction
from hub.service.needs import agencies_of, agency_streams_of, streams_of, threads_about
from hub.service.overlay import Overlay
from hub.service.requests import INTERNAL, ChangeAgency, Request

CHANGES_MESSAGE: Final = (EditMessage, WithdrawMessage)


def load(txn: WriteTransaction, batch: Sequence[Request]) -> Overlay:
    """Locks and loads everything that the batch needs, each group in sorted order. The locks
    come first: a request that another process did just now has let go of its streams and is remembered,
    or it still holds them and this one waits. Looked up before, it would be new, and its streams already
    changed by itself."""
    held = txn.lock(sorted({name for r in batch for name in streams_of(r)}))
    found = txn.look_up(_wanted(batch))
    if repeated := {reference.case_id for reference in found.references.values()} - found.cases.keys():
        them = sorted(repeated)
        found.add(txn.look_up(Wanted(cases=them, heads=them, keys=them)))
    found.cases.update(_load_linked(txn, found.cases, batch))
    threads = {name for r in batch for name in r.thread_ids}
    if about := threads_about(batch, found.cases):
        held |= txn.lock(sorted({thread_stream(name) for name in about - threads}))
    known = txn.load_threads(sorted(threads | about)) if threads | about else {}
    if beside := _wanted_beside(batch, known, about, found):
        found.add(txn.look_up(beside))
    if parents := _parents(batch, found.agencies):
        found.add(txn.look_up(Wanted(agencies=parents)))
    return Overlay(
        remembered=found.remembered,
        references=found.references,
        cases=found.cases,
        heads=found.heads,
        wrapped=found.keys,
        agencies=found.agencies,
        inactive=found.inactive,
        files=txn.load_files(sorted({(file.sha256, r.principal.agency) for r in batch for file in r.files})),
        threads=known,
        messages=_load_messages(txn, batch),
        officers=_load_officers(txn, batch),
        next_offsets=_next_offsets(txn, batch),
        held=held,
        identities=found.identities,
    )


def _wanted(batch: Sequence[Request]) -> Wanted:
    """What the requests alone say. Whose reporter an officer's words might name, its key is needed too."""
    cases = {case_id for r in batch for case_id in r.case_ids}
    rooms = {thread_stream(name) for r in batch for name in r.thread_ids}
    streams = sorted(cases | rooms | {agency_stream(name) for r in batch for name in agency_streams_of(r)})
    return Wanted(
        remembered=sorted({r.idempotency.key for r in batch if r.idempotency}),
        references=sorted({r.reference for r in batch if r.reference}),
        cases=sorted(cases),
        heads=streams,
        keys=streams,
        identities=sorted({case_id for r in batch if r.words for case_id in r.case_ids}),
        agencies=sorted({name for r in batch for name in agencies_of(r)}),
        clients=sorted({r.principal.client_id for r in batch} - INTERNAL),
    )


def _wanted_beside(
    batch: Sequence[Request], threads: Mapping[str, Thread], about: Collection[str], found: Found
) -> Wanted | None:
    """Cases to read, not to change: those that keep a thread beside one that is erased, those that a thread
    in which somebody writes is about, and those whose reporters a message names. None: there are none."""
    rooms = [threads[name] for r in batch if r.words for name in r.thread_ids if name in threads]
    spoken_of = {case_id for room in rooms for case_id in room.state.cases}
    beside = {case_id for name in about if name in threads for case_id in threads[name].state.cases}
    cases = (beside | spoken_of | _written_to(batch)) - found.cases.keys()
    if not cases | spoken_of:
        return None
    return Wanted(
        cases=sorted(cases),
        keys=sorted(spoken_of - found.keys.keys()),
        identities=sorted(spoken_of - found.identities.keys()),
    )


def _written_to(batch: Sequence[Request]) -> set[str]:
    """The cases whose reporters a message names: it needs one that is not erased."""
    return {name for r in batch if isinstance(r.command, PostMessage) for name in r.command.cases}


def _load_officers(txn: WriteTransaction, batch: Sequence[Request]) -> dict[str, str]:
    named = {name for r in batch if isinstance(r.command, PostMessage) for name in r.command.mentions}
    named |= {each.id for r in batch if isinstance(r.command, HandOver) for each in r.command.officers}
    return txn.officers_agencies(sorted(named)) if named else {}


def _load_messages(txn: WriteTransaction, batch: Sequence[Request]) -> dict[str, Message]:
    """Those that are there already. A new one's id names nothing."""
    named = sorted({r.command.message_id for r in batch if isinstance(r.command, CHANGES_MESSAGE)})
    return txn.load_messages(named) if named else {}


def _load_linked(txn: WriteTransaction, loaded: dict[str, Case], batch: Sequence[Request]) -> dict[str, Case]:
    """To read, not to change: whoever owns a duplicate now is offered the answer; and a case that is linked
    with an open one is kept."""
    named = {each.case for case in loaded.values() for each in duplicates(case.state)}
    kept = [r.command.case_id for r in batch if isinstance(r.command, EraseRetained)]
    named |= {each.case for name in kept if name in loaded for each in loaded[name].state.links}
    named -= loaded.keys()
    return txn.load_cases(sorted(named)) if named else {}


def _next_offsets(txn: WriteTransaction, batch: Sequence[Request]) -> dict[tuple[str, int], Place]:
    partitions = {(r.origin.topic, r.origin.partition) for r in batch if r.origin}
    return txn.next_offsets(sorted(partitions)) if partitions else {}


def _parents(batch: Sequence[Request], found: Mapping[str, Agency]) -> list[str]:
    """The agencies above those that are changed: who does not name the parent keeps it."""
    changed = {r.command.agency_id for r in batch if isinstance(r.command, ChangeAgency)} & found.keys()
    return sorted({parent for name in changed if (parent := found[name].parent)} - found.keys())
