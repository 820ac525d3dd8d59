"""Loads what one batch needs into the overlay that it is decided on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub.domain.agency import Agency
from hub.domain.audience import duplicates
from hub.domain.case import Case
from hub.domain.commands import EraseRetained
from hub.domain.events import agency_stream, thread_stream
from hub.domain.handover import HandOver
from hub.domain.threads.commands import EditMessage, PostMessage, WithdrawMessage
from hub.domain.threads.thread import Message, Thread
from hub.ports.relaying import Place
from hub.ports.store import WriteTransaction
from hub.service.needs import agencies_of, agency_streams_of, streams_of, threads_about
from hub.service.overlay import Overlay
from hub.service.requests import INTERNAL, ChangeAgency, Request

CHANGES_MESSAGE: Final = (EditMessage, WithdrawMessage)


def load(txn: WriteTransaction, batch: Sequence[Request]) -> Overlay:
    """Locks, reserves and loads everything that the batch needs, each group in sorted order. The locks
    come first: a request that another process did just now has let go of its streams and is remembered,
    or it still holds them and this one waits. Looked up before, it would be new, and its streams already
    changed by itself."""
    held = txn.lock(sorted({name for r in batch for name in streams_of(r)}))
    remembered = txn.reserve_keys(sorted({r.idempotency.key for r in batch if r.idempotency}))
    references = txn.reserve_references(sorted({r.reference for r in batch if r.reference}))
    wanted = {case_id for r in batch for case_id in r.case_ids}
    wanted |= {reference.case_id for reference in references.values()}
    cases = sorted(wanted)
    agencies = sorted({name for r in batch for name in agencies_of(r)})
    threads = sorted({name for r in batch for name in r.thread_ids})
    rooms = {thread_stream(name) for name in threads}
    streams = sorted(wanted | rooms | {agency_stream(name) for r in batch for name in agency_streams_of(r)})
    loaded = txn.load_cases(cases) if cases else {}
    loaded |= _load_linked(txn, loaded, batch)
    if about := threads_about(batch, loaded):
        held |= txn.lock(sorted({thread_stream(name) for name in about} - rooms))
        threads = sorted({*threads, *about})
    known = txn.load_threads(threads) if threads else {}
    if others := {name for each in about & known.keys() for name in known[each].state.cases} - loaded.keys():
        loaded |= txn.load_cases(sorted(others))
    spoken_of = _spoken_of(batch, known)
    if beside := (spoken_of | _written_to(batch)) - loaded.keys():  # to read, not to change
        loaded |= txn.load_cases(sorted(beside))
    sealed = sorted({*streams, *spoken_of})
    return Overlay(
        remembered=remembered,
        references=references,
        cases=loaded,
        heads=txn.load_heads(streams) if streams else {},
        wrapped=txn.load_keys(sealed) if sealed else {},
        agencies=_load_agencies(txn, agencies, batch),
        inactive=txn.inactive_clients(sorted({r.principal.client_id for r in batch} - INTERNAL)),
        files=txn.load_files(sorted({(file.sha256, r.principal.agency) for r in batch for file in r.files})),
        threads=known,
        messages=_load_messages(txn, batch),
        officers=_load_officers(txn, batch),
        next_offsets=_next_offsets(txn, batch),
        held=held,
        identities=txn.load_identities(sorted(spoken_of)) if spoken_of else {},
    )


def _spoken_of(batch: Sequence[Request], threads: Mapping[str, Thread]) -> set[str]:
    """The cases whose reporters might be named in words that are not masked yet."""
    worded = [request for request in batch if request.words]
    rooms = [threads[name] for request in worded for name in request.thread_ids if name in threads]
    named = {case_id for request in worded for case_id in request.case_ids}
    return named | {case_id for thread in rooms for case_id in thread.state.cases}


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


def _load_agencies(
    txn: WriteTransaction, wanted: Sequence[str], batch: Sequence[Request]
) -> dict[str, Agency]:
    """The agencies, and the one above each that is changed: who does not name the parent keeps it."""
    found = txn.load_agencies(wanted)
    changed = {r.command.agency_id for r in batch if isinstance(r.command, ChangeAgency)} & found.keys()
    parents = {parent for name in changed if (parent := found[name].parent)} - found.keys()
    return found | (txn.load_agencies(sorted(parents)) if parents else {})
