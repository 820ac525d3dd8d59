"""What operators do to a hub, and what its machine does to it: closed logs, backups onto the wrong file,
restores that are killed half-way, folders that are none."""

from __future__ import annotations

import os
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.app_core import open_core
from hub.cli.database import fold
from hub.settings import Settings
from hub.store.rebuilding import check_rebuild
from tests.parts.caller import complaint
from tests.parts.hub import HubFailed, HubProcess

COMPLETE, KILLED = 0, 9
FIRST = 4
"""Events of a fresh hub: itself, its policies, its calendar, and the one agency."""


def one_line(said: str) -> str:
    assert len(said.strip().splitlines()) == 1, said
    assert said.startswith("simpul: "), said
    return said


# --- a log that nobody reads --------------------------------------------------------------------------------


@contextmanager
def closed_pipe() -> Iterator[int]:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def test_a_hub_whose_log_is_a_closed_pipe_answers_as_ever(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, {"SIMPUL_LOG_LEVEL": "info"})
    with closed_pipe() as stderr:
        hub.start(stderr=stderr)
        try:
            pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
            for name in ("A-1", "A-2"):
                assert pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", name))[0] == 201
            assert pemda.call("GET", "/v1/cases")[0] == 200
            assert hub.ready()
        finally:
            assert hub.stop() == 0


@contextmanager
def full_disk(hub: HubProcess) -> Iterator[None]:
    """Of the database and of the log: the kernel takes no byte beyond the fourth kilobyte of any file."""
    _, hard = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_a_disk_that_is_full_for_the_log_too_costs_lines_and_no_answer(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path, {"SIMPUL_LOG_LEVEL": "info"})
    hub.log.write_text("older lines\n" * 1000)
    hub.start()
    try:
        pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
        assert pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-1"))[0] == 201
        with full_disk(hub):
            for name in ("A-2", "A-3"):
                assert pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", name))[0] == 503
                assert not hub.ready(), "a refused commit is known at once"
            assert pemda.call("GET", "/v1/cases")[0] == 200
        deadline = time.monotonic() + 15
        while pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-4"))[0] != 201:
            assert time.monotonic() < deadline, "the writer died"
        assert hub.ready(), "and so is a commit"
        assert '"event": "log_lines_dropped"' in hub.log.read_text()
    finally:
        assert hub.stop() == 0


# --- backups onto the wrong file ----------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> HubProcess:
    """A hub that does not run, with two agencies; used through its commands alone."""
    folder = HubProcess(tmp_path)
    folder.desk("agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry")
    return folder


@pytest.mark.parametrize(
    "name",
    [f"simpul.db{suffix}" for suffix in ("", "-wal", "-stamp", "-lock", "-hub")]
    + ["master.key", "jwks.json", "hub.lock", "other"],
)
def test_a_backup_never_replaces_the_hubs_own_files(desk: HubProcess, name: str) -> None:
    target = desk.data / name
    (desk.data / "other").write_text("kept")
    before = target.read_bytes() if target.exists() else None
    with pytest.raises(HubFailed, match="belongs to the hub's own data"):
        desk.desk("backup", str(target))
    assert (target.read_bytes() if target.exists() else None) == before
    assert len(list(desk.data.glob("*.part"))) == 0


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_nor_by_another_name_of_theirs(desk: HubProcess, link: Any) -> None:
    for place, name in ((desk.folder / "b.tar.gz", "simpul.db"), (desk.folder / "c.tar.gz", "master.key")):
        link(place, desk.data / name)
        with pytest.raises(HubFailed, match="belongs to the hub's own data"):
            desk.desk("backup", str(place))


def test_nor_into_the_attachments_and_never_a_device(desk: HubProcess) -> None:
    for target in (desk.data / "attachments", desk.data / "attachments" / "ab" / "c"):
        with pytest.raises(HubFailed, match="belongs to the hub's own data"):
            desk.desk("backup", str(target))
    fifo = desk.folder / "pipe"
    os.mkfifo(fifo)
    with pytest.raises(HubFailed, match="no regular file"):
        desk.desk("backup", str(fifo))


def test_a_backup_replaces_a_former_one_in_the_data_folder(desk: HubProcess) -> None:
    target = str(desk.data / "cadangan.tar.gz")
    first, again = desk.desk("backup", target), desk.desk("backup", target)
    assert first["events"] == again["events"] == FIRST


# --- restores -----------------------------------------------------------------------------------------------


def state_of(desk: HubProcess) -> tuple[str, int, set[str]]:
    """(incarnation, events in the log, agencies), of a database whose tables follow from its log."""
    with open_core(Settings(data_dir=desk.data)) as core:
        events, difference = check_rebuild(core.store, fold(core.sealer))
        assert difference is None
        with core.store.read() as session:
            return session.incarnation(), events, set(core.registry.agencies)


@pytest.fixture
def backed_up(desk: HubProcess) -> HubProcess:
    """A backup of two events, and a third event since; an old attachment, and one more in the backup."""
    (desk.data / "attachments" / "ab").mkdir(parents=True)
    (desk.data / "attachments" / "ab" / "x").write_bytes(b"sealed")
    desk.desk("backup", str(desk.folder / "backup"))
    desk.desk("agency", "add", "kemendagri", "--name", "Kemendagri", "--kind", "ministry")
    (desk.data / "attachments" / "ab" / "x").unlink()
    return desk


def test_a_restore_adds_no_event(backed_up: HubProcess) -> None:
    told = backed_up.desk("restore", str(backed_up.folder / "backup"))
    assert told["events"] == FIRST
    incarnation, events, agencies = state_of(backed_up)
    assert (incarnation, events, agencies) == (told["incarnation"], FIRST, {"hub", "kemenpu"})
    assert (backed_up.data / "attachments" / "ab" / "x").read_bytes() == b"sealed"
    with sqlite3.connect(told["replaced"]) as kept:
        assert kept.execute("SELECT count(*) FROM log").fetchone() == (FIRST + 1,)
    assert (backed_up.data / "simpul.db").stat().st_mode & 0o777 == 0o600


def killed_restore(desk: HubProcess, moment: int) -> int:
    """`simpul restore` in a process that ends, as by kill -9, at its nth touch of a name or a database."""
    child = os.fork()
    if child == 0:
        left = moment

        def watch(event: str, arguments: object) -> None:
            nonlocal left
            if event in ("os.rename", "os.remove", "os.rmdir", "sqlite3.connect", "shutil.copyfile"):
                left -= 1
                if left == 0:
                    os._exit(KILLED)

        sys.addaudithook(watch)
        try:
            desk.desk("restore", str(desk.folder / "backup"))
        except BaseException:
            os._exit(1)
        os._exit(COMPLETE)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_restore_killed_at_any_moment_is_done_or_undone(backed_up: HubProcess) -> None:
    old = state_of(backed_up)
    seen = set()
    for moment in range(1, 100):
        status = killed_restore(backed_up, moment)
        assert status in (COMPLETE, KILLED)
        incarnation, events, agencies = state_of(backed_up)
        if incarnation == old[0]:
            assert (events, agencies) == old[1:]
            seen.add("undone")
        else:
            assert (events, agencies) == (FIRST, {"hub", "kemenpu"})
            assert not (backed_up.data / "simpul.db.restored").exists()
            seen.add("done" if status == COMPLETE else "finished")
            kept = max(backed_up.data.glob("simpul.db.replaced-*"))
            kept.rename(backed_up.data / "simpul.db")
            assert state_of(backed_up) == old
        if status == COMPLETE:
            break
    assert seen == {"undone", "finished", "done"}
    assert list(backed_up.data.glob(".simpul-restore-*")) == [], "what killed ones unpacked is swept"


def test_a_database_that_only_has_its_old_name_is_not_replaced_by_an_empty_one(desk: HubProcess) -> None:
    (desk.data / "simpul.db").rename(desk.data / "simpul.db.replaced-20261122T010203000000")
    said = one_line(desk.cli("agency", "list", status=1).stderr)
    assert "simpul restore" in said
    assert not (desk.data / "simpul.db").exists()


def test_a_damaged_database_can_be_restored(backed_up: HubProcess) -> None:
    (backed_up.data / "simpul.db").write_bytes(b"not a database at all" * 500)
    assert backed_up.desk("restore", str(backed_up.folder / "backup"))["events"] == FIRST
    assert state_of(backed_up)[1] == FIRST


def test_a_restore_that_is_refused_changes_nothing(backed_up: HubProcess) -> None:
    old = state_of(backed_up)
    locks = {"hub.lock", "simpul.db-hub"}
    names = sorted({path.name for path in backed_up.data.iterdir()} | locks)
    (backed_up.folder / "backup").write_bytes((backed_up.folder / "backup").read_bytes()[:-100])
    with pytest.raises(HubFailed, match="cannot be read as a backup"):
        backed_up.desk("restore", str(backed_up.folder / "backup"))
    assert sorted(path.name for path in backed_up.data.iterdir()) == names
    assert state_of(backed_up) == old


def test_empty_tables_over_a_full_log_do_not_start_and_make_no_second_hub(desk: HubProcess) -> None:
    with sqlite3.connect(desk.data / "simpul.db") as database:
        database.execute("DELETE FROM agencies")
    assert "simpul rebuild" in one_line(desk.cli("serve", status=1).stderr)
    assert desk.desk("rebuild")["events"] == FIRST
    assert state_of(desk)[1:] == (FIRST, {"hub", "kemenpu"})


# --- refusals in one line -----------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["/proc/nope", "/dev/null"])
def test_a_data_folder_that_cannot_be_is_one_line(tmp_path: Path, folder: str) -> None:
    hub = HubProcess(tmp_path, {"SIMPUL_DATA_DIR": folder})
    for command in (["agency", "list"], ["serve"]):
        assert folder in one_line(hub.cli(*command, status=1).stderr)


def test_a_backup_that_cannot_be_written_is_one_line(desk: HubProcess) -> None:
    assert "/proc/x" in one_line(desk.cli("backup", "/proc/x", status=1).stderr)


def test_any_other_refusal_of_the_system_names_its_path(desk: HubProcess) -> None:
    (desk.data / "hub.lock").unlink(missing_ok=True)
    (desk.data / "hub.lock").mkdir()
    assert "hub.lock" in one_line(desk.cli("rebuild", status=1).stderr)
