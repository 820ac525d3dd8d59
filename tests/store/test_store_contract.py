"""What `hub/ports/store.py` promises, held against every backend that `store_factory` makes."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from hub.errors import Overtaken, RowRefused, StoreUnavailable
from hub.ports.effects import Effects, Head, Reference, Wanted
from tests.store.storework import (
    WHEN,
    Backend,
    append,
    case,
    event,
    everything,
    is_empty,
    write,
)

# --- atomic and durable ------------------------------------------------------------------------------


def test_what_is_committed_is_there_whole(store: Any) -> None:
    effects = everything()
    write(store, effects)
    stream = effects.keys[0].stream
    with store.read() as session:
        assert session.last_position() == 1
        assert session.events_after(0, 9) == effects.events == session.stream(stream, 0, 9)
        assert session.case(stream) == effects.new_cases[0]
        assert session.case_of_leg("leg-1") == stream
        assert session.reference("kotim", "PGD-1") == effects.references[0]
        assert session.identities([stream, "other"]) == {stream: effects.identities[0]}
        assert session.keys([stream, "other"]) == {stream: effects.keys[0]}
        assert session.remembered(b"key-1") == effects.remembered[0]
        assert session.agencies() == effects.agencies
        (row,) = session.mailbox("kotim", 0, 9)
        assert (row.position, row.event, row.key) == (1, effects.events[0], effects.keys[0])


def test_leaving_without_commit_leaves_nothing(store: Any) -> None:
    with store.begin() as txn:
        txn.write(everything())
    assert is_empty(store)


def test_rolling_back_leaves_nothing(store: Any) -> None:
    with store.begin() as txn:
        txn.write(everything())
        txn.rollback()
    assert is_empty(store)


def test_an_error_in_the_block_leaves_nothing(store: Any) -> None:
    with pytest.raises(KeyError), store.begin() as txn:
        txn.write(everything())
        raise KeyError("a defect")
    assert is_empty(store)
    write(store, everything())


def test_what_was_committed_survives_kill_9(backend: Backend) -> None:
    """The child prints each position after its commit returned and is killed in the middle of its work."""
    backend.open()
    child = backend.run(
        "import os\nwhile True:\n"
        "    os.write(1, f\"{append(store, 'kotim', ('kotim', 'pupr'))}\\n\".encode())\n"
    )
    assert child.stdout is not None
    lines = [int(child.stdout.readline()) for _ in range(40)]
    child.kill()
    lines += [int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    child.wait()
    store = backend.open()
    with store.read() as session:
        positions = [row.position for row in session.events_after(0, 100_000)]
        assert positions == list(range(1, len(positions) + 1))
        assert positions[-1] >= lines[-1], "what was reported as committed is there"
        assert positions[-1] <= lines[-1] + 1, "at most one commit was not reported any more"
        for agency in ("kotim", "pupr"):
            assert [row.event.position for row in session.mailbox(agency, 0, 100_000)] == positions


# --- order ------------------------------------------------------------------------------------------


def test_positions_are_dense_and_in_commit_order_under_several_writers(backend: Backend) -> None:
    """Two processes and two threads write while a reader follows; it never sees a gap or a late position."""
    each, threads = 20, [backend.open() for _ in range(2)]
    reader = backend.open()
    script = "for _ in range(int(sys.argv[2])):\n    append(store, sys.argv[3], ('kotim', sys.argv[3]))\n"
    children = [backend.run(script, str(each), f"child-{n}") for n in range(2)]
    workers = [
        threading.Thread(target=lambda s=store, n=n: [append(s, f"t-{n}", ("kotim",)) for _ in range(each)])
        for n, store in enumerate(threads)
    ]
    for worker in workers:
        worker.start()
    seen = 0
    while seen < 4 * each:
        with reader.read() as session:
            found = [row.position for row in session.events_after(seen, 1000)]
            assert found == list(range(seen + 1, seen + len(found) + 1))
            assert session.last_position() == seen + len(found)
            assert session.mailbox_state("kotim").head == seen + len(found)
        seen += len(found)
        assert all(child.poll() in (None, 0) for child in children)
    for worker in workers:
        worker.join()
    assert [child.wait() for child in children] == [0, 0]
    with reader.read() as session:
        for n in range(2):
            assert [row.position for row in session.mailbox(f"child-{n}", 0, 99)] == list(range(1, each + 1))
            assert [row.sequence for row in session.stream(f"t-{n}", 0, 99)] == list(range(1, each + 1))


def test_a_stream_that_one_transaction_locked_is_held_for_every_other(backend: Backend) -> None:
    """The other one waits for the first to end, or is told at once that the stream is held."""
    first, second = backend.open(), backend.open()
    found: list[Any] = []

    def later() -> None:
        with second.begin() as txn:
            held = txn.lock(["kotim", "pupr"])
            found.append("held" if held == {"kotim"} else txn.look_up(Wanted(heads=["kotim"])).heads)

    with first.begin() as txn:
        assert txn.lock(["kotim"]) == set()
        assert txn.lock(["kotim"]) == set(), "one's own is not held"
        assert txn.look_up(Wanted(heads=["kotim"])).heads == {}
        thread = threading.Thread(target=later)
        thread.start()
        if backend.name == "postgres":
            thread.join()
        txn.tail()
        txn.write(Effects(events=[event(1, "kotim", 1)]))
        txn.commit()
    thread.join()
    assert found == (["held"] if backend.name == "postgres" else [{"kotim": Head(1, bytes(32))}])
    with second.begin() as txn:
        assert txn.lock(["kotim"]) == set(), "a lock ends with its transaction"
        assert txn.look_up(Wanted(heads=["kotim"])).heads == {"kotim": Head(1, bytes(32))}


def test_what_was_loaded_holds_until_the_commit_or_nothing_is_committed(backend: Backend) -> None:
    """Without a lock: of two transactions that decide on the same state, one is committed."""
    stores = [backend.open(), backend.open()]
    loaded = threading.Barrier(2) if backend.name == "postgres" else None
    ended: list[str] = []

    def decide(store: Any) -> None:
        try:
            with store.begin() as txn:
                head = txn.look_up(Wanted(heads=["kotim"])).heads.get("kotim")
                if loaded:
                    loaded.wait(30)
                position = txn.tail() + 1
                txn.write(Effects(events=[event(position, "kotim", head.sequence + 1 if head else 1)]))
                txn.commit()
                ended.append("committed")
        except Overtaken:
            ended.append("overtaken")

    threads = [threading.Thread(target=decide, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[0].read() as session:
        sequences = [e.sequence for e in session.stream("kotim", 0, 9)]
    if loaded:
        assert (sorted(ended), sequences) == (["committed", "overtaken"], [1])
    else:
        assert (ended, sequences) == (["committed", "committed"], [1, 2])


def test_a_read_session_sees_one_snapshot(backend: Backend) -> None:
    store, other = backend.open(), backend.open()
    append(store, "kotim")
    with store.read() as session:
        assert session.last_position() == 1
        append(other, "kotim")
        append(store, "kotim")
        assert session.last_position() == 1
        assert len(session.mailbox("kotim", 0, 9)) == session.mailbox_state("kotim").head == 1
    with store.read() as session:
        assert session.last_position() == 3


def test_a_glance_sees_what_was_committed_before_it(backend: Backend) -> None:
    store, other = backend.open(), backend.open()
    append(other, "kotim")
    with store.glance() as session:
        assert session.last_position() == 1
        append(other, "kotim")
        assert session.last_position() in (1, 2)
    with store.glance() as session:
        assert session.last_position() == 2


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    ["keys", "events", "mailbox", "new_cases", "references", "identities", "remembered"],
)
def test_a_refused_row_leaves_nothing_of_its_transaction(store: Any, member: str) -> None:
    """Everything is new but one row, whose key is taken already."""
    write(store, everything(1))
    clash = replace(everything(2), **{member: getattr(everything(1), member)})
    with pytest.raises(RowRefused), store.begin() as txn:
        txn.write(clash)
        txn.commit()
    with store.read() as session:
        assert session.last_position() == 1
        assert session.case(case(2).state.id) is None
        assert session.reference("kotim", "PGD-2") is None
        assert session.mailbox_state("kotim").head == 1
    write(store, everything(2))


@pytest.mark.parametrize(
    "impossible",
    [
        Effects(events=[replace(event(1, "kotim", 1), sequence=1 << 70)]),
        Effects(events=[replace(event(1, "kotim", 1), header=None)]),  # type: ignore[arg-type]
        Effects(references=[Reference("kotim", "\ud800", "x", WHEN)]),
    ],
    ids=["too large a number", "null", "half a character"],
)
def test_a_value_that_the_database_cannot_hold_is_a_refused_row(store: Any, impossible: Effects) -> None:
    with pytest.raises(RowRefused):
        write(store, impossible)
    assert is_empty(store)
    write(store, everything())


def test_a_full_disk_is_unavailable_and_over_when_there_is_room(backend: Backend) -> None:
    store = backend.open()
    append(store, "kotim")
    with backend.full(store):
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                append(store, "kotim", size=200_000)
        with store.read() as session:
            assert session.last_position() == 1
    assert append(store, "kotim", size=200_000) == 2


def test_a_store_that_is_closed_in_mid_work_does_not_corrupt(backend: Backend) -> None:
    store = backend.open()
    append(store, "kotim")
    store.close()
    assert append(backend.open(), "kotim") == 2
