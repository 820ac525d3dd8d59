"""What only SQLite shows: the mode of its files, a file that may not grow, a folder that is read-only."""

from __future__ import annotations

import sqlite3
import stat
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from hub.store.sqlite import store as sqlite_store
from hub.store.sqlite.connections import Connection
from hub.store.sqlite.store import SqliteStore, connect
from tests.store.storework import SqliteBackend, append


@pytest.fixture
def engine() -> str:
    return "sqlite"


def run(backend: SqliteBackend, script: str) -> str:
    child = backend.run(textwrap.dedent(script))
    output, _ = child.communicate()
    assert child.returncode == 0, output
    return output


def test_nobody_else_may_read_any_of_its_files(backend: SqliteBackend, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    connect(folder / "simpul.db").execute("CREATE TABLE t (x)")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == dict.fromkeys(["simpul.db", "simpul.db-wal", "simpul.db-shm"], 0o600)


def test_commits_are_synced(store: Any) -> None:
    with store.write() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_may_not_grow_is_unavailable_until_it_may(backend: SqliteBackend) -> None:
    """RLIMIT_FSIZE is the kernel's own refusal to write, as a full disk is; the same process lifts it."""
    backend.open()
    output = run(
        backend,
        """
        import resource
        from hub.errors import StoreUnavailable
        append(store, "kotim")
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        for _ in range(3):
            try:
                append(store, "kotim", size=100_000)
            except StoreUnavailable as away:
                print("away")
        with store.read() as session:
            print(session.last_position())
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        print(append(store, "kotim", size=100_000))
        """,
    )
    assert output.split() == ["away", "away", "away", "1", "2"]
    with backend.open().read() as session:
        assert session.last_position() == 2


def test_a_read_only_file_or_folder_is_unavailable_until_it_is_not(backend: SqliteBackend) -> None:
    """By a user without privileges, since root may write anything."""
    backend.open()
    output = run(
        backend,
        """
        import os, shutil, tempfile
        from hub.errors import StoreUnavailable
        data = Path(sys.argv[1]).read_bytes()
        store.close()
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        folder = Path(tempfile.mkdtemp())
        path = folder / "simpul.db"
        path.write_bytes(data)

        def attempt():
            try:
                store = SqliteStore(path)
            except StoreUnavailable:
                return "away"
            try:
                return append(store, "kotim")
            except StoreUnavailable:
                return "away"
            finally:
                store.close()

        print(attempt())
        path.chmod(0o400)
        print(attempt())
        folder.chmod(0o500)
        print(attempt())
        folder.chmod(0o700)
        for file in folder.iterdir():
            file.chmod(0o600)
        print(attempt())
        folder.chmod(0o000)
        print(attempt())
        folder.chmod(0o700)
        shutil.rmtree(folder)
        """,
    )
    assert output.split() == ["1", "away", "away", "2", "away"]


def test_checkpoints_beside_the_writer_lose_nothing(backend: SqliteBackend) -> None:
    store = backend.open()
    for _ in range(3):
        append(store, "kotim", size=2_000_000)
    wal = store.path.with_name(store.path.name + "-wal")
    assert wal.stat().st_size > 4 * 1024 * 1024
    store.start_checkpoints()
    append(store, "kotim")
    store.close()
    assert not wal.exists(), "the last connection moves everything into the database"
    with SqliteStore(store.path).read() as session:
        assert [event.position for event in session.events_after(0, 9)] == [1, 2, 3, 4]


def test_reader_connections_are_kept_and_bounded(backend: SqliteBackend) -> None:
    store = backend.open()
    sessions = [store.read() for _ in range(6)]
    for session in sessions:
        session.__enter__()
    for session in sessions:
        session.__exit__(None, None, None)
    assert store._readers.qsize() == 4


@pytest.mark.parametrize(
    "failure",
    [OSError(5, "Input/output error"), sqlite3.DatabaseError("malformed"), sqlite3.OperationalError()],
)
@pytest.mark.parametrize("place", ["connect", "look", "move"])
def test_checkpoints_go_on_after_a_failure(
    backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch, failure: Exception, place: str
) -> None:
    """Nobody else moves the write-ahead log into the database: it would grow without end."""
    failures, moved = [failure], threading.Event()

    def fail(at: str) -> None:
        if at == place and threading.current_thread().name == "checkpoints" and failures:
            raise failures.pop()

    class Watched(Connection):
        def execute(self, *args: Any) -> Any:
            fail("move" if "wal_checkpoint" in args[0] else "connect")
            cursor = super().execute(*args)
            if "wal_checkpoint" in args[0]:
                moved.set()
            return cursor

    def look(path: Path, **options: Any) -> Any:
        fail("look")
        return real(path, **options)

    real = Path.stat
    monkeypatch.setattr(Path, "stat", look)
    monkeypatch.setattr(sqlite_store, "Connection", Watched)
    monkeypatch.setattr(sqlite_store, "CHECKPOINT_EVERY_S", 0.01)
    monkeypatch.setattr(sqlite_store, "CHECKPOINT_BYTES", 1)
    store = backend.open()
    append(store, "kotim")
    store.start_checkpoints()
    assert moved.wait(10)
    assert not failures
