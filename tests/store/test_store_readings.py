"""The same contract: what the write transaction is asked, and what a session reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.agency import Agency
from hub.domain.case import Leg
from hub.ports.effects import (
    Effects,
    Found,
    Head,
    MailboxEntry,
    Reference,
    Wanted,
)
from hub.ports.files import FileHolding
from hub.ports.sealing import WrappedKey
from hub.store.files import FileTables
from tests.store.storework import (
    WHEN,
    append,
    event,
    everything,
    write,
)

# --- the write transaction's questions --------------------------------------------------------------


def test_what_took_effect_before_is_told_and_what_did_not_is_absent(store: Any) -> None:
    effects = everything()
    write(store, effects)
    with store.begin() as txn:
        assert txn.load_remembered([b"key-0", b"key-1"]) == {b"key-1": effects.remembered[0]}
        assert txn.load_remembered([]) == {}
        pairs = [("kotim", "PGD-1"), ("kotim", "PGD-2"), ("lain", "PGD-1")]
        found = txn.look_up(Wanted(remembered=[b"key-0", b"key-1"], references=pairs))
        assert found.remembered == {b"key-1": effects.remembered[0]}
        assert found.references == {("kotim", "PGD-1"): effects.references[0]}


@pytest.mark.parametrize("reference", ['"kutip"', "a\\b", "5 % _", "é日本😀", " spasi ", "0"])
def test_references_are_compared_letter_by_letter(store: Any, reference: str) -> None:
    write(store, Effects(references=[Reference("kotim", reference, "case-1", WHEN)]))
    with store.begin() as txn:
        pairs = [("kotim", reference), ("kotim", reference + "x")]
        assert set(txn.look_up(Wanted(references=pairs)).references) == {("kotim", reference)}
    with store.read() as session:
        assert session.missing_references("kotim", [reference, reference.upper() + "!"]) == [
            reference.upper() + "!"
        ]


def test_loading_gives_what_is_there_and_nothing_else(store: Any) -> None:
    effects = everything()
    write(store, effects)
    stream = effects.keys[0].stream
    with store.begin() as txn:
        assert txn.load_cases([stream, "other"]) == {stream: effects.new_cases[0]}
        both = [stream, "other"]
        wanted = Wanted(cases=both, heads=both, keys=both, identities=both, agencies=["dinas-1", "other"])
        assert txn.look_up(wanted) == Found(
            cases={stream: effects.new_cases[0]},
            heads={stream: Head(1, effects.events[0].chain)},
            keys={stream: effects.keys[0]},
            identities={stream: effects.identities[0]},
            agencies={"dinas-1": effects.agencies[0]},
        )
        assert txn.tail() == 1
        assert txn.mailbox_heads(["kotim", "pupr"]) == {"kotim": 1}
        assert txn.look_up(Wanted(clients=["tidak-ada"])).inactive == {"tidak-ada"}
        assert txn.load_files([("ab" * 32, "kotim")]) == {}


def test_a_changed_case_is_written_over(store: Any) -> None:
    write(store, everything())
    stored = everything().new_cases[0]
    leg = Leg("leg-2", "kotim", "pln", "support", "sent", WHEN, WHEN)
    changed = replace(
        stored,
        state=replace(stored.state, status="in_progress", version=2, legs=(*stored.state.legs, leg)),
        texts=None,
    )
    write(store, Effects(changed_cases=[changed]))
    with store.read() as session:
        assert session.case(stored.state.id) == changed
        assert session.case_of_leg("leg-2") == stored.state.id


def test_an_agency_is_written_over_and_raises_the_generation(store: Any) -> None:
    write(store, everything())
    before = store.registry_generation()
    write(store, Effects(agencies=[Agency("dinas-1", "Dinas Baru", "unit", active=False)]))
    assert store.registry_generation() > before
    with store.read() as session:
        assert session.agencies() == [Agency("dinas-1", "Dinas Baru", "unit", active=False)]


def test_naming_a_file_twice_keeps_the_first_wrap(store: Any) -> None:
    for wrapped in (b"1" * 60, b"2" * 60):
        key = WrappedKey("case-1/file", 1, wrapped)
        write(store, Effects(holders=[FileHolding("ab" * 32, "case-1", key)]))
    (holder,) = FileTables(store).holders("ab" * 32)
    assert (holder.stream, holder.wrapped.wrapped) == ("case-1", b"1" * 60)


# --- readings ---------------------------------------------------------------------------------------


def test_streams_and_log_are_read_in_pages(store: Any) -> None:
    for number in range(1, 8):
        append(store, "a" if number % 2 else "b")
    with store.read() as session:
        assert [e.position for e in session.events_after(2, 3)] == [3, 4, 5]
        assert [e.sequence for e in session.stream("a", 1, 2)] == [2, 3]
        assert [e.position for e in session.stream("b", 0, 9)] == [2, 4, 6]
        assert session.events_after(7, 9) == []


def test_mailboxes_are_read_in_pages(store: Any) -> None:
    for number in range(1, 6):
        append(store, "s", ("kotim", "pupr") if number % 2 else ("kotim",))
    with store.read() as session:
        assert [(r.position, r.event.position) for r in session.mailbox("pupr", 1, 9)] == [(2, 3), (3, 5)]
        assert [r.position for r in session.mailbox("kotim", 1, 2)] == [2, 3]
        assert session.mailbox_event_ids("pupr", 2, 3) == [(2, "event-3"), (3, "event-5")]
        assert (session.mailbox_state("pupr").head, session.mailbox_state("pupr").first) == (3, 1)
        assert session.mailbox("lain", 0, 9) == []


def test_a_mailbox_row_without_key_was_erased(store: Any) -> None:
    write(store, Effects(events=[event(1, "s", 1)], mailbox=[MailboxEntry("kotim", 1, 1)]))
    with store.read() as session:
        assert session.mailbox("kotim", 0, 9)[0].key is None


def test_submissions_are_those_of_a_span_sorted_by_reference(store: Any) -> None:
    times = {
        "B": "2025-03-01T00:00:00.000Z",
        "A": "2025-03-02T00:00:00.000Z",
        "C": "2025-03-03T00:00:00.000Z",
    }
    rows = [Reference("kotim", name, f"case-{name}", when) for name, when in times.items()]
    write(store, Effects(references=[*rows, Reference("lain", "A", "case-X", times["A"])]))
    with store.read() as session:
        assert session.submissions("kotim", times["B"], times["C"]) == [("A", "case-A"), ("B", "case-B")]
        assert session.submissions("kotim", times["A"], times["A"]) == []
        assert session.missing_references("kotim", ["Z", "A", "Y", "C"]) == ["Z", "Y"]
        assert session.missing_references("lain", ["B"]) == ["B"]


def test_each_database_has_an_incarnation_of_its_own_unless_copied(store: Any) -> None:
    with store.read() as session:
        assert len(session.incarnation()) == 32
