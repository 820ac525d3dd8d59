"""Who may write is present; a restore, a rebuild and a move must be alone. The same on both engines, whatever
becomes of the processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from hub.errors import CommandRefused, Displaced, StoreUnavailable
from hub.store.backups import write_backup
from hub.store.migrate import Place
from hub.store.moving import move
from hub.store.opening import alone, open_store
from hub.store.postgres.presence import HUB_LOCK
from hub.store.postgres.store import PostgresStore
from hub.store.postgres.transaction import TAIL_LOCK
from hub.store.refilling import refill
from hub.store.sqlite.presence import lock_beside
from tests.parts.forking import ROOT, Forked, Program, fork_server
from tests.store.movework import KILLED, everything_in, killed_move, opens, silent
from tests.store.storework import Backend, PostgresBackend, SqliteBackend, append

WITHIN_S = 10.0
PRESENT = Program(
    "present", "tests.store.present:main", ("hub.store.postgres.store", "sqlalchemy.dialects.postgresql")
)


@pytest.fixture
def place(backend: Backend) -> Place:
    backend.open().close()  # there is a database now
    return backend.path if isinstance(backend, SqliteBackend) else backend.url


@contextmanager
def another_process(place: Place) -> Iterator[Forked]:
    """That has a store open until it ends."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as said, os.fdopen(writer, "wb") as out:
        process = fork_server(PRESENT).start([str(place)], ROOT, os.environ, out, subprocess.STDOUT)
        out.close()
        try:
            assert said.readline() == "open\n"
            yield process
            assert process.poll() in (None, -signal.SIGKILL), "it was there all the while"
        finally:
            process.kill()
            process.wait()


def opened(place: Place, *, is_alone: bool = False) -> None:
    open_store(place, lambda known: None, migrates=False, is_alone=is_alone).close()


def taken_alone(place: Place) -> bool:
    try:
        with alone(place, "restore"):
            return True
    except CommandRefused:
        return False


# --- the contract -----------------------------------------------------------------------------------------


def test_many_are_present_and_one_is_alone(place: Place) -> None:
    with another_process(place):
        opened(place)
        with pytest.raises(CommandRefused, match=r"restore needs .*for itself, but"), alone(place, "restore"):
            pytest.fail("somebody may write")
    deadline = time.monotonic() + WITHIN_S
    while not taken_alone(place):  # the server needs a moment to see that the process is gone
        assert time.monotonic() < deadline
    with alone(place, "restore"):
        with pytest.raises(CommandRefused, match="is under way on the database; wait for its end"):
            opened(place)
        opened(place, is_alone=True)
        assert not taken_alone(place)
    opened(place)


def test_who_closes_the_store_is_gone_at_once(place: Place) -> None:
    for _ in range(5):
        opened(place)
        assert taken_alone(place)


def test_who_is_suspended_is_there_and_who_is_killed_is_not(place: Place) -> None:
    with another_process(place) as process:
        process.send_signal(signal.SIGSTOP)
        assert not taken_alone(place)
        process.kill()
        process.wait()
        deadline = time.monotonic() + WITHIN_S
        while not taken_alone(place):
            assert time.monotonic() < deadline


def test_who_is_refused_is_not_left_present(place: Place) -> None:
    def refuses(known: bool) -> None:
        raise CommandRefused("no key")

    with pytest.raises(CommandRefused, match="no key"):
        open_store(place, refuses, migrates=False)
    assert taken_alone(place)


def test_a_backup_of_a_log_with_a_gap_is_refused(backend: Backend, tmp_path: Path) -> None:
    store, file = backend.open(), tmp_path / "backup.tar.gz"
    for _ in range(4):
        append(store, "kotim")
    (tmp_path / "attachments").mkdir()
    assert write_backup(store, tmp_path / "attachments", file)["events"] == 4
    before = file.read_bytes()
    with store.writing() as connection:
        connection.execute("DELETE FROM log WHERE position = 3")
    with pytest.raises(CommandRefused, match="1 events are missing, the first at position 3"):
        write_backup(store, tmp_path / "attachments", file)
    assert file.read_bytes() == before


# --- SQLite -----------------------------------------------------------------------------------------------


def test_the_lock_outlives_the_file_that_is_replaced(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "simpul.db"
    shutil.copy(template, path)
    with another_process(path):
        path.rename(tmp_path / "simpul.db.replaced-1")
        shutil.copy(template, path)
        assert not taken_alone(path)
    assert lock_beside(path).stat().st_mode & 0o777 == 0o600


def test_a_mark_of_a_move_cannot_come_while_somebody_may_write(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "simpul.db"
    shutil.copy(template, path)
    presence = open_store(path, lambda known: None, migrates=False)
    with pytest.raises(CommandRefused, match="works on it"), alone(path, "move"):
        pytest.fail("the mark could be set")
    presence.close()


# --- PostgreSQL -------------------------------------------------------------------------------------------

postgres_only = pytest.mark.parametrize(
    "engine", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


def cut(operator: psycopg.Connection, name: str = "simpul %") -> int:
    found = operator.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name LIKE %s",
        (name,),
    ).fetchall()
    return len(found)


@pytest.fixture
def operator(backend: PostgresBackend) -> Iterator[psycopg.Connection]:
    with psycopg.connect(backend.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def hub(backend: PostgresBackend) -> Iterator[PostgresStore]:
    store = backend.open()
    append(store, "kotim")
    yield store
    store.close()


@postgres_only
def test_who_was_cut_off_is_present_again_with_its_next_connection(
    hub: PostgresStore, backend: PostgresBackend, operator: psycopg.Connection
) -> None:
    assert cut(operator)
    assert taken_alone(backend.url), "it cannot write now either"
    hub.probe()
    assert not taken_alone(backend.url)
    assert append(hub, "kotim") == 2


@postgres_only
@pytest.mark.parametrize("meanwhile", ["under way", "restored meanwhile"])
def test_who_comes_too_late_writes_nothing_more(
    hub: PostgresStore, backend: PostgresBackend, operator: psycopg.Connection, meanwhile: str
) -> None:
    told: list[bool] = []
    hub.on_displaced(lambda: told.append(True))
    hub.still_present()
    cut(operator)
    with alone(backend.url, "restore"):
        if meanwhile == "under way":
            with pytest.raises(Displaced, match="`simpul restore` is under way"):
                hub.probe()
        else:
            operator.execute("UPDATE facts SET value = 'another' WHERE name = 'incarnation'")
    for _ in range(2):
        with pytest.raises(Displaced, match=meanwhile):
            append(hub, "kotim")
    with pytest.raises(Displaced):
        hub.still_present()
    assert told == [True]
    assert operator.execute("SELECT max(position) FROM log").fetchone() == (1,)
    assert taken_alone(backend.url)


@postgres_only
def test_a_restore_that_is_no_longer_alone_changes_nothing(
    hub: PostgresStore, backend: PostgresBackend, operator: psycopg.Connection, tmp_path: Path
) -> None:
    attachments = tmp_path / "attachments"
    attachments.mkdir()
    write_backup(hub, attachments, tmp_path / "backup")
    append(hub, "kotim")
    hub.close()
    before = everything_in(backend.url)
    with alone(backend.url, "restore") as still:

        def fold(session: object, target: object) -> int:
            assert cut(operator, "simpul restore") == 1
            return 1

        with pytest.raises(StoreUnavailable, match="was cut"):
            refill(tmp_path / "backup", backend.url, attachments, fold, still)
    assert everything_in(backend.url) == before


@postgres_only
def test_a_restore_waits_for_whoever_appends_to_the_log(
    hub: PostgresStore, backend: PostgresBackend, operator: psycopg.Connection, tmp_path: Path
) -> None:
    """A belt: should somebody write who is not present, the log has no gap afterwards."""
    attachments = tmp_path / "attachments"
    attachments.mkdir()
    write_backup(hub, attachments, tmp_path / "backup")
    refused: list[str] = []

    def fold(session: object, target: object) -> int:
        try:
            with hub.write() as connection:
                connection.execute("SET LOCAL lock_timeout = 50")
                connection.execute("SELECT pg_advisory_xact_lock(?)", (TAIL_LOCK,))
        except StoreUnavailable as held:
            refused.append(str(held))
        return 1

    refill(tmp_path / "backup", backend.url, attachments, fold)
    assert refused
    assert "lock timeout" in refused[0]


@postgres_only
def test_hubs_of_the_version_before_are_seen(backend: PostgresBackend, operator: psycopg.Connection) -> None:
    backend.open().close()
    operator.execute("SET application_name = 'simpul presence'")
    operator.execute("SELECT pg_advisory_lock_shared(%s)", (HUB_LOCK,))
    with pytest.raises(CommandRefused, match="a hub is running on it"), alone(backend.url, "restore"):
        pytest.fail("a hub may write")


# --- a move that did not verify ---------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize(
    "harm", ["DELETE FROM log WHERE position = 1", "UPDATE log SET header = 'x' WHERE position = 2"]
)
def test_a_move_that_did_not_verify_is_healed_by_running_it_again(
    source: Path, target: str, harm: str
) -> None:
    """Whatever changed the rows that were copied already."""
    assert killed_move(source, target, 150) == KILLED
    with psycopg.connect(target) as connection:
        assert connection.execute(harm.encode()).rowcount
    with pytest.raises(CommandRefused, match=r"not the same.*`simpul move --to` it again"):
        move(source, target, silent)
    assert move(source, target, silent).copied == 25 * (len(everything_in(target)) - 1)
    assert everything_in(target) == everything_in(source)
    opens(target)
