"""PostgreSQL lost at the worst moment: in the middle of a commit, for good, or while a process is stopped."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from hub.errors import OutcomeUnknown, StoreUnavailable
from hub.store.migrate import migrate
from hub.store.postgres.connections import Limits
from hub.store.postgres.store import PostgresStore
from tests.parts.local_server import PartMissing, free_port, skip_or_fail
from tests.parts.postgres import LocalCluster, local_cluster
from tests.store.cutting_proxy import CuttingProxy, cutting_proxy
from tests.store.storework import PostgresBackend, append

pytestmark = pytest.mark.postgres
HASTY = Limits(outcome_s=0.3, idle_in_transaction_ms=300)


@pytest.fixture
def engine() -> str:
    return "postgres"


@pytest.fixture
def proxy(backend: PostgresBackend) -> Iterator[CuttingProxy]:
    with cutting_proxy(backend.url) as proxy:
        yield proxy


@pytest.fixture
def far_store(backend: PostgresBackend, proxy: CuttingProxy) -> Iterator[PostgresStore]:
    """A store whose connections go through the proxy."""
    store = PostgresStore(proxy.url(backend.url), limits=HASTY)
    yield store
    store.close()


# --- the answer to a commit is lost -------------------------------------------------------------------


def test_a_commit_that_took_effect_counts_though_its_answer_was_lost(
    far_store: PostgresStore, proxy: CuttingProxy, store: Any
) -> None:
    proxy.cut = "after"
    assert append(far_store, "kotim") == 1
    assert proxy.cuts == 1
    with store.read() as session:
        assert session.last_position() == 1
    assert append(far_store, "kotim") == 2, "and the next one goes on, on a new connection"


def test_a_commit_that_never_arrived_leaves_nothing(
    far_store: PostgresStore, proxy: CuttingProxy, store: Any
) -> None:
    proxy.cut = "before"
    with pytest.raises(StoreUnavailable) as refused:
        append(far_store, "kotim")
    assert not isinstance(refused.value, OutcomeUnknown), "the database was asked, and knew"
    assert proxy.cuts == 1
    with store.read() as session:
        assert session.last_position() == 0
    assert append(far_store, "kotim") == 1


@pytest.mark.parametrize("cut", ["before", "after"])
def test_nothing_is_guessed_while_nobody_can_be_asked(
    far_store: PostgresStore, proxy: CuttingProxy, store: Any, cut: Any
) -> None:
    proxy.cut, proxy.shut_after_cut = cut, True
    with pytest.raises(OutcomeUnknown, match="Ask again"):
        append(far_store, "kotim")
    proxy.shut = False
    assert append(far_store, "kotim") == {"before": 1, "after": 2}[cut]


def test_a_job_of_its_own_is_asked_after_as_well(
    far_store: PostgresStore, proxy: CuttingProxy, store: Any
) -> None:
    proxy.cut = "after"
    with far_store.writing() as connection:
        connection.execute("INSERT INTO facts (name, value) VALUES ('job', 'done')")
    with store.connection() as connection:
        assert connection.execute("SELECT value FROM facts WHERE name = 'job'").fetchone() == ("done",)


def test_another_transaction_of_the_same_number_is_not_taken_for_ours(
    far_store: PostgresStore, store: Any
) -> None:
    """After a takeover by a server that lagged behind, numbers are given out again: ours names its event."""
    append(store, "kotim")
    with store.connection() as connection:
        (xid,) = connection.execute("SELECT xmin::text FROM log WHERE position = 1").fetchone()
    ask = far_store._outcomes.ask
    assert ask(xid, (1, "event-1")) is True
    assert ask(xid, (1, "another-event")) is False
    assert ask("999999999", None) is False, "a server that never heard of it"


# --- the server is lost between transactions ----------------------------------------------------------


def test_connections_that_the_server_ended_are_made_anew(store: Any, backend: PostgresBackend) -> None:
    append(store, "kotim")
    with store.read() as session:
        assert session.last_position() == 1
    with psycopg.connect(backend.url, autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with store.read() as session:
        assert session.last_position() == 1
    assert append(store, "kotim") == 2


def test_a_failover_to_the_other_address_is_found() -> None:
    """A primary is stopped dead and its standby promoted. The store was given both addresses."""
    try:
        with local_cluster() as primary:
            migrate(primary.url + "postgres")
            standby = LocalCluster(primary.folder, primary.user, free_port(), durable=False)
            standby.data = primary.folder / "standby"
            copy = ["-R", "-D", str(standby.data), "-d", primary.url, "-c", "fast", "-X", "stream"]
            primary.run("pg_basebackup", *copy)
            with standby.running():
                _fail_over(primary, standby)
    except PartMissing as missing:
        skip_or_fail(missing)


def test_a_commit_that_no_standby_confirmed_is_not_called_done() -> None:
    """The server warns, and then says COMMIT as ever."""
    try:
        with local_cluster() as primary:
            migrate(primary.url + "postgres")
            store = PostgresStore(primary.url + "postgres", limits=HASTY)
            try:
                assert append(store, "kotim") == 1
                _await_a_standby(primary, True)
                for ends in ("pg_terminate_backend", "pg_cancel_backend"):
                    with _nobody_confirms(primary, ends), pytest.raises(OutcomeUnknown, match="standby"):
                        append(store, "kotim")
                    with _nobody_confirms(primary, ends), pytest.raises(OutcomeUnknown, match="standby"):
                        store.probe()
                _await_a_standby(primary, False)
                assert append(store, "kotim") == 4
                store.probe()
            finally:
                store.close()
    except PartMissing as missing:
        skip_or_fail(missing)


def _await_a_standby(primary: LocalCluster, wanted: bool) -> None:
    with psycopg.connect(primary.url, autocommit=True) as operator:
        change = "SET synchronous_standby_names = '*'" if wanted else "RESET synchronous_standby_names"
        operator.execute(f"ALTER SYSTEM {change}".encode())
        operator.execute("SELECT pg_reload_conf()")
        shown = "*" if wanted else ""
        for _ in range(10_000):
            if operator.execute("SHOW synchronous_standby_names").fetchone() == (shown,):
                return
    raise AssertionError("the setting was not taken up")


@contextmanager
def _nobody_confirms(primary: LocalCluster, ends: str) -> Iterator[None]:
    """An operator ends the wait of whoever waits."""

    def end() -> None:
        with psycopg.connect(primary.url, autocommit=True) as operator:
            for _ in range(10_000):
                found = operator.execute(
                    f"SELECT {ends}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'".encode()
                ).fetchall()
                if found:
                    return

    thread = threading.Thread(target=end)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _fail_over(primary: LocalCluster, standby: LocalCluster) -> None:
    with psycopg.connect(primary.url, autocommit=True) as operator:
        operator.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        operator.execute("SELECT pg_reload_conf()")
    addresses = f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}"
    store = PostgresStore(f"postgresql://postgres@{addresses}/postgres", limits=HASTY)
    try:
        assert append(store, "kotim") == 1
        primary.run("pg_ctl", "stop", "-D", str(primary.data), "-m", "immediate")
        with pytest.raises(StoreUnavailable):
            append(store, "kotim")
        standby.run("pg_ctl", "promote", "-D", str(standby.data), "-w")
        with psycopg.connect(standby.url, autocommit=True) as operator:
            operator.execute("ALTER SYSTEM RESET synchronous_standby_names")
            operator.execute("SELECT pg_reload_conf()")
        assert append(store, "kotim") == 2
        with store.read() as session:
            assert [event.position for event in session.events_after(0, 9)] == [1, 2]
    finally:
        store.close()


# --- a process that is stopped ------------------------------------------------------------------------


def test_a_stopped_writer_holds_nobody_up_and_wakes_to_nothing(backend: PostgresBackend) -> None:
    """It is stopped with the tail in its hands. The server ends its transaction; what it does when it wakes
    up is refused."""
    store = backend.open()
    child = backend.run(
        "import signal, os\n"
        "store = PostgresStore(sys.argv[1], limits=Limits(idle_in_transaction_ms=300))\n"
        "with store.begin() as txn:\n"
        "    position = txn.tail() + 1\n"
        "    txn.write(Effects(events=[event(position, 'zombie', 1)]))\n"
        "    os.write(1, b'holding\\n')\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    try:\n"
        "        txn.commit()\n"
        "    except Exception as error:\n"
        "        os.write(1, type(error).__name__.encode())\n"
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "holding\n"
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert append(store, "kotim") == 1, "it waited, and went on when the server had ended the other's"
    child.send_signal(signal.SIGCONT)
    assert child.stdout.read().endswith("StoreUnavailable")
    assert child.wait() == 0
    with store.read() as session:
        assert [event.stream for event in session.events_after(0, 9)] == ["kotim"]
