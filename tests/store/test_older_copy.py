"""The database is replaced by an older copy of itself, as by a failover to a standby that was behind: every
process that knew more of it works no more, since what it remembers and what is there are two histories."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hub.errors import Displaced
from hub.ports.effects import Effects
from hub.ports.registry import ClientRow
from hub.store.backups import write_backup
from hub.store.opening import alone
from hub.store.postgres.store import PostgresStore
from hub.store.refilling import refill
from tests.parts.postgres import drop_database, make_database
from tests.store.storework import WHEN, PostgresBackend, append, event

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine() -> str:
    return "postgres"


class Standby:
    """A copy of a database as it was at some moment, which can take its place."""

    def __init__(self, url: str) -> None:
        self.server, self.name = url.rsplit("/", 1)
        self.url = make_database(url)

    def promote(self) -> None:
        """Every connection to the former database ends; its name now leads to the copy."""
        copy, gone = self.url.rsplit("/", 1)[1], f"gone_{secrets.token_hex(6)}"
        with psycopg.connect(f"{self.server}/postgres", autocommit=True) as operator:
            for statement in (
                f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false",
                f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{self.name}'",
                f"ALTER DATABASE {self.name} RENAME TO {gone}",
                f"ALTER DATABASE {copy} RENAME TO {self.name}",
                f"DROP DATABASE {gone}",
            ):
                operator.execute(statement.encode())

    def close(self) -> None:
        drop_database(self.url)


@pytest.fixture
def standby(backend: PostgresBackend) -> Iterator[Standby]:
    """Of a log with three events and one client."""
    store = backend.open()
    for _ in range(3):
        append(store, "kotim")
    backend.registry(store).add_client(ClientRow("client_a", "kotim", (), b"hash", None, WHEN))
    store.close()
    standby = Standby(backend.url)
    yield standby
    standby.close()


def writes(store: PostgresStore) -> None:
    append(store, "kotim")


def reads(store: PostgresStore) -> None:
    with store.read() as session:
        session.last_position()


def glances(store: PostgresStore) -> None:
    with store.glance() as session:
        session.last_position()


def asks_who_may(store: PostgresStore) -> None:
    store.registry_generation()


def refused(store: PostgresStore, does: Callable[[PostgresStore], object], why: str) -> None:
    with pytest.raises(Displaced, match=why):
        does(store)


def until(condition: Callable[[], bool], what: str) -> None:
    pause = threading.Event()
    for _ in range(400):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError(f"never: {what}")


@pytest.mark.parametrize("first", [writes, reads, glances, PostgresStore.probe])
def test_who_wrote_what_the_copy_lacks_works_no_more(
    backend: PostgresBackend, standby: Standby, first: Callable[[PostgresStore], object]
) -> None:
    ended: list[bool] = []
    hub = backend.open()
    hub.on_displaced(lambda: ended.append(True))
    append(hub, "kotim")
    standby.promote()
    refused(hub, first, "its log ends at 3, not at 4")
    for does in (writes, reads, asks_who_may, PostgresStore.probe):
        refused(hub, does, "lacks what this hub had acknowledged or shown.*Stop the hub.*Lose a database")
    assert not ended, "started again it would know nothing of it"
    with psycopg.connect(backend.url) as operator:
        assert operator.execute("SELECT max(position) FROM log").fetchone() == (3,)


@pytest.mark.parametrize(("cut", "finds"), [("writer", writes), ("reader", reads)])
def test_what_one_connection_finds_the_others_heed(
    backend: PostgresBackend, cut: str, finds: Callable[[PostgresStore], object]
) -> None:
    """Theirs may still lead to the former server."""
    hub = backend.open()
    append(hub, "kotim")
    reads(hub)
    with psycopg.connect(backend.url, autocommit=True) as operator:
        operator.execute("DELETE FROM log")
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            (f"simpul {cut}",),
        )
    refused(hub, finds, "its log ends at 0, not at 1")
    for does in (writes, reads):
        refused(hub, does, "its log ends at 0, not at 1")


def test_other_events_at_the_same_positions_are_not_taken_for_ours(
    backend: PostgresBackend, standby: Standby
) -> None:
    """Somebody who knew nothing was quicker, and the copy has grown beyond what this process knew."""
    hub = backend.open()
    append(hub, "kotim")
    standby.promote()
    with psycopg.connect(backend.url) as fresh:
        for position in (4, 5):
            fresh.execute(
                "INSERT INTO log SELECT %s, stream, %s, 'other-' || %s, header, sealed, chain FROM log "
                "WHERE position = 3",
                (position, position, position),
            )
    refused(hub, writes, "another event at 4")


def test_a_registry_of_before_is_noticed_though_the_log_is_the_same(
    backend: PostgresBackend, standby: Standby
) -> None:
    hub = backend.open()
    backend.registry(hub).revoke_client("client_a", WHEN)
    standby.promote()
    refused(hub, reads, "its registry was changed 1 times, not 2")
    refused(hub, asks_who_may, "registry")


def test_who_only_heard_of_a_commit_notices_by_itself(backend: PostgresBackend, standby: Standby) -> None:
    """As delivery and the relay, which write no events: nobody asks them for anything."""
    hub, idle = backend.open(), backend.open()
    heard = threading.Event()
    idle.on_commit_elsewhere(lambda committed: heard.set())
    append(hub, "kotim")
    assert heard.wait(10)
    standby.promote()

    def has_noticed() -> bool:
        try:
            idle.still_present()
        except Displaced:
            return True
        return False

    until(has_noticed, "the listener's next connection compares")
    refused(idle, reads, "its log ends at 3, not at 4")
    refused(idle, asks_who_may, "its log ends at 3, not at 4")


@pytest.mark.parametrize("looking", ["read", "glance"])
@pytest.mark.parametrize("seen_in", ["log", "mailbox"])
def test_who_only_read_an_event_notices(
    backend: PostgresBackend, standby: Standby, seen_in: str, looking: str
) -> None:
    hub, reader = backend.open(), backend.open()
    append(hub, "kotim")
    with getattr(reader, looking)() as session:
        if seen_in == "log":
            assert len(session.events_after(0, 9)) == 4
        else:
            assert len(session.mailbox("kotim", 0, 9)) == 4
    standby.promote()
    refused(reader, reads, "its log ends at 3, not at 4")
    refused(reader, glances, "its log ends at 3, not at 4")


def test_who_looks_at_the_end_of_the_log_knows_which_event_is_there(
    backend: PostgresBackend, standby: Standby
) -> None:
    """As every process with a listener does, twice a second."""
    idle = backend.open()
    idle.registry_generation()
    with psycopg.connect(standby.url) as other:
        other.execute("UPDATE log SET id = 'another' WHERE position = 3")
    standby.promote()
    refused(idle, reads, "another event at 3")


def test_a_copy_that_lacks_nothing_goes_unnoticed(backend: PostgresBackend, standby: Standby) -> None:
    hub = backend.open()
    with hub.read() as session:
        assert len(session.events_after(0, 9)) == 3
    assert hub.registry_generation() == 1
    standby.promote()
    assert append(hub, "kotim") == 4
    assert hub.registry_generation() == 1


def test_what_was_rolled_back_is_not_missed(backend: PostgresBackend, standby: Standby) -> None:
    hub = backend.open()
    with pytest.raises(ZeroDivisionError), hub.begin() as txn:
        txn.write(Effects(events=[event(txn.tail() + 1, "kotim", 4)]))
        txn.load_cases([])  # so that it is sent
        raise ZeroDivisionError
    standby.promote()
    assert append(hub, "kotim") == 4


def test_the_copy_is_renewed_in_its_place(backend: PostgresBackend, standby: Standby, tmp_path: Path) -> None:
    """What the runbook says: a backup of it, restored over it. Its positions then are another incarnation's,
    and who starts on it knows no others."""
    hub = backend.open()
    append(hub, "kotim")
    standby.promote()
    refused(hub, writes, "log ends")
    hub.close()
    attachments = tmp_path / "attachments"
    attachments.mkdir()
    fresh = backend.open()
    with fresh.read() as session:
        before = session.incarnation()
    assert write_backup(fresh, attachments, tmp_path / "backup")["events"] == 3
    fresh.close()
    with alone(backend.url, "restore") as still:
        done = refill(tmp_path / "backup", backend.url, attachments, lambda session, target: 3, still)
    renewed = backend.open()
    with renewed.read() as session:
        assert session.incarnation() == done.incarnation != before
    assert append(renewed, "kotim") == 4
