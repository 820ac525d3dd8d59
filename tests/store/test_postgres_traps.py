"""What PostgreSQL does that SQLite does not: each trap with the remedy that this test fails without."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hub.errors import Overtaken, RowRefused, StoreUnavailable
from hub.ports.bus import Committed
from hub.ports.effects import Effects, Found, Reference, Remembered, Wanted
from hub.ports.registry import ClientRow
from hub.store.postgres.connections import Limits
from hub.store.postgres.transaction import TAKE_TAIL
from tests.store.storework import WHEN, PostgresBackend, append, case, event, everything, is_empty, write

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine() -> str:
    return "postgres"


# --- rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "impossible",
    [
        Effects(events=[event(1, "ko\0tim", 1)]),
        Effects(references=[Reference("kotim", "PGD\0", "x", WHEN)]),
        Effects(events=[replace(event(1, "kotim", 1), sequence=1 << 40)]),
        Effects(events=[replace(event(1, "kotim", 1), position=1 << 63)]),
    ],
    ids=["NUL in a name", "NUL in a reference", "beyond 32 bits", "beyond 64 bits"],
)
def test_what_sqlite_takes_and_postgresql_does_not_is_a_refused_row(store: Any, impossible: Effects) -> None:
    with pytest.raises(RowRefused) as refused:
        write(store, impossible)
    assert not isinstance(refused.value, Overtaken), "running it again would not help"
    assert is_empty(store)
    write(store, everything())


def test_the_cause_of_a_refusal_names_no_value(store: Any) -> None:
    """PostgreSQL's DETAIL would repeat the row."""
    made = everything()
    write(store, made)
    with pytest.raises(RowRefused) as refused:
        write(store, Effects(references=[Reference("kotim", "PGD-1", "rahasia", WHEN)]))
    assert "PGD-1" not in str(refused.value)


def test_a_refused_row_leaves_no_statement_that_the_server_does_not_know(backend: PostgresBackend) -> None:
    """The driver counts a statement as prepared although the pipeline in which it was to be parsed broke off
    before it; every later use of it would fail, for as long as the connection lives."""
    store = backend.open()
    for _ in range(2):
        with store.begin() as txn:
            txn.tail()  # and nothing to write: rolled back before anything was prepared
    append(store, "kotim")  # each statement once; the next use prepares it
    for number in range(3):
        with pytest.raises(RowRefused):
            write(store, Effects(references=[Reference("kotim", f"a\0{number}", "kasus", WHEN)]))
        append(store, "kotim")
    with store.read() as session:
        assert session.last_position() == 4


# --- order, locks -------------------------------------------------------------------------------------


def test_the_end_of_the_log_is_read_after_the_one_before_has_committed(backend: PostgresBackend) -> None:
    """A statement sees what was committed when it began: the lock alone, or in the same statement, gives the
    second writer the first one's positions."""
    stores, found = [backend.open(), backend.open()], []
    holding = threading.Event()

    def second() -> None:
        holding.wait(30)
        with stores[1].begin() as txn:
            found.append(txn.tail())

    thread = threading.Thread(target=second)
    thread.start()
    with stores[0].begin() as txn:
        assert txn.tail() == 0
        holding.set()
        _wait_until_blocked(backend)
        txn.write(Effects(events=[event(1, "kotim", 1)]))
        txn.commit()
    thread.join()
    assert found == [1]


def _wait_until_blocked(backend: PostgresBackend) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(backend.url, autocommit=True) as operator:
        for _ in range(10_000):
            row = operator.execute(waiting).fetchone()
            if row and row[0]:
                return
    raise AssertionError("nobody waits for the tail")


def test_writers_that_want_the_same_streams_in_any_order_never_wait_in_a_circle(
    backend: PostgresBackend,
) -> None:
    names, each = ["a", "b", "c"], 15
    stores = [backend.open() for _ in range(3)]
    failed: list[Exception] = []

    def work(number: int) -> None:
        wanted = names[number:] + names[:number]
        try:
            for _ in range(each):
                for name in wanted:
                    while not _appended(stores[number], [name, *wanted]):
                        pass
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with stores[0].read() as session:
        for name in names:
            assert [e.sequence for e in session.stream(name, 0, 999)] == list(range(1, 3 * each + 1))
        assert [e.position for e in session.events_after(0, 999)] == list(range(1, 9 * each + 1))
    with psycopg.connect(backend.url) as operator:
        query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert operator.execute(query).fetchone() == (0,)


def _appended(store: Any, wanted: list[str]) -> bool:
    """One event on the first stream, holding all; False when another process held any."""
    with store.begin() as txn:
        if txn.lock(wanted):
            return False
        head = txn.look_up(Wanted(heads=wanted[:1])).heads.get(wanted[0])
        position = txn.tail() + 1
        txn.write(Effects(events=[event(position, wanted[0], head.sequence + 1 if head else 1)]))
        txn.commit()
    return True


def test_the_second_of_two_that_found_the_same_reference_free_is_overtaken(backend: PostgresBackend) -> None:
    one, two = backend.open(), backend.open()
    same = Wanted(remembered=[b"key-1"], references=[("kotim", "PGD-1")])
    with two.begin() as txn:
        assert txn.look_up(same) == Found()
        write(one, everything(1))
        with pytest.raises(Overtaken):
            txn.write(replace(everything(2), references=everything(1).references))
            txn.commit()
    with two.begin() as txn:
        found = txn.look_up(same)
        assert set(found.references) == {("kotim", "PGD-1")}
        assert set(found.remembered) == {b"key-1"}


def test_the_second_of_two_that_remember_the_same_key_is_overtaken(backend: PostgresBackend) -> None:
    one, two = backend.open(), backend.open()
    rows = [Remembered(b"key-1", b"body", 200, "once", (made,), WHEN) for made in ("one", "two")]
    with two.begin() as txn:
        assert txn.load_remembered([b"key-1"]) == {}, "and it is not reserved"
        write(one, Effects(remembered=rows[:1]))
        with pytest.raises(Overtaken):
            txn.write(Effects(remembered=rows[1:]))
            txn.commit()
    with two.begin() as txn:
        assert txn.load_remembered([b"key-1"]) == {b"key-1": rows[0]}


# --- plans --------------------------------------------------------------------------------------------


def test_lookups_walk_an_index_though_they_were_first_planned_on_empty_tables(
    backend: PostgresBackend,
) -> None:
    """Nothing is analysed, and the statements were prepared when there were no rows. Read within one
    transaction, the server's own counters say how many rows were gone through."""
    count, store = 4000, backend.open()
    ids = [case(number).state.id for number in range(count)]
    for _ in range(8):
        _look_up(store, ids[:1])
    with store.writing() as connection:
        for table in ("cases", "log", "case_references", "stream_keys"):
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    for start in range(0, count, 1000):
        numbers = range(start, start + 1000)
        write(
            store,
            Effects(
                new_cases=[case(number) for number in numbers],
                events=[event(number + 1, ids[number], 1) for number in numbers],
                references=[Reference("kotim", f"PGD-{n}", ids[n], WHEN) for n in numbers],
            ),
        )
    assert _look_up(store, ids[:64]) == {}


def _look_up(store: Any, ids: list[str]) -> dict[str, int]:
    """Tables that were read from end to end: rows so read."""
    with store.begin() as txn:
        before = _read_through(txn)
        txn.load_cases(ids)
        references = [("kotim", f"PGD-{number}") for number in range(len(ids))]
        for one in (Wanted(heads=ids), Wanted(keys=ids), Wanted(references=references)):
            txn.look_up(one)
        txn.look_up(Wanted(references=references, cases=ids, heads=ids, keys=ids, identities=ids))
        txn.tail()
        after = _read_through(txn)
    return {name: after[name] - before[name] for name in after if after[name] > before[name] + 10}


def _read_through(txn: Any) -> dict[str, int]:
    query = "SELECT relname::text, seq_tup_read FROM pg_stat_xact_user_tables"
    return dict(txn._db.execute(query).fetchall())


# --- long readers -------------------------------------------------------------------------------------


def test_a_long_reader_makes_the_end_of_the_log_no_dearer(backend: PostgresBackend) -> None:
    """While it reads, no dead row can be removed. The tail leaves none behind."""
    store, reader = backend.open(), backend.open()
    append(store, "kotim", ())
    with reader.read() as session:
        assert session.last_position() == 1
        for _ in range(300):
            append(store, "kotim", ())
        with store.connection() as connection:
            query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {TAKE_TAIL.partition('; ')[2]}"
            (plan,) = connection.execute(query.replace(", pg_current_xact_id()::text", "")).fetchone()
        assert plan[0]["Plan"]["Shared Hit Blocks"] <= 6
        assert session.last_position() == 1


def test_a_reader_that_stopped_reading_loses_its_snapshot(backend: PostgresBackend) -> None:
    store = backend.open(Limits(reader_idle_ms=100))
    append(store, "kotim")
    with pytest.raises(StoreUnavailable), store.read() as session:
        assert session.last_position() == 1
        _wait_until_nobody_reads(backend)
        session.last_position()
    with store.read() as session:
        assert session.last_position() == 1


def _wait_until_nobody_reads(backend: PostgresBackend) -> None:
    readers = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin "
    with psycopg.connect(backend.url, autocommit=True) as operator:
        for _ in range(10_000):
            row = operator.execute(readers + "IS NOT NULL AND pid <> pg_backend_pid()").fetchone()
            if row == (0,):
                return
    raise AssertionError("the snapshot is still held")


# --- what other processes commit ----------------------------------------------------------------------


def test_a_revocation_is_known_everywhere_when_it_returns(backend: PostgresBackend) -> None:
    """No poll in between: the others have confirmed it, slow as one of them is."""
    here, others = backend.open(), [backend.open() for _ in range(3)]
    listener = others[0]._listener
    hear, pause = listener.raise_to, threading.Event()

    def slowly(generation: int) -> None:
        pause.wait(0.05)
        hear(generation)

    others[0].registry_generation()
    listener.raise_to = slowly  # type: ignore[method-assign]
    registry = backend.registry(here)
    registry.add_client(ClientRow("client_a", "kotim", (), b"hash", None, WHEN))
    for number in range(5):
        before = [other.registry_generation() for other in others]
        registry.revoke_client("client_a", WHEN)
        assert [other.registry_generation() for other in others] == [g + 1 for g in before], number


def test_a_number_that_no_notification_told_is_read(backend: PostgresBackend) -> None:
    """As after a notification that was lost: somebody changes the row and tells nobody."""
    store, told = backend.open(), threading.Event()
    known = store.registry_generation()
    with psycopg.connect(backend.url, autocommit=True) as operator:
        operator.execute("UPDATE facts SET value = '77' WHERE name = 'registry_generation'")
    for _ in range(200):
        if store.registry_generation() != 77:
            told.wait(0.05)
    assert (known, store.registry_generation()) == (0, 77)


def test_a_commit_elsewhere_is_told_and_ones_own_is_not(backend: PostgresBackend) -> None:
    here, there = backend.open(), backend.open()
    heard: list[Committed | None] = []
    told = threading.Event()

    def listen(committed: Committed | None) -> None:
        heard.append(committed)
        if len(heard) == 2:
            told.set()

    here.on_commit_elsewhere(listen)
    append(here, "kotim")
    append(there, "kotim", ("kotim", "pln"))
    many = tuple(f"dinas-{number}-{'x' * 40}" for number in range(200))
    append(there, "kotim", many)
    assert told.wait(30)
    assert heard == [Committed(2, 2, frozenset({"kotim", "pln"})), None], "more than fits: look at the log"


def test_the_listener_finds_its_way_back(backend: PostgresBackend) -> None:
    here, there = backend.open(), backend.open()
    told = threading.Event()
    here.on_commit_elsewhere(lambda committed: told.set())
    with psycopg.connect(backend.url, autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'simpul listener'"
        )
    for _ in range(100):
        append(there, "kotim")
        if told.wait(0.1):
            break
    assert told.is_set()
