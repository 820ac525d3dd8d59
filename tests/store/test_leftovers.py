"""What a command works in is its own while it lives, and nobody's once it was killed: whoever comes next
takes that away, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.store import leftovers
from hub.store.backups import write_backup
from hub.store.leftovers import BACKUP, HELD, KINDS, scratch_folder, sweep, sweep_parts, working_folder
from hub.store.rebuilding import check_rebuild
from tests.store.storework import Backend

AT_WORK = {
    "backup": """
        from hub.store import backups
        backups._add_attachments = pause
        append(store, "kotim")
        backups.write_backup(store, Path(sys.argv[2]) / "attachments", Path(sys.argv[2]) / "out" / "b.tgz")
        """,
    "rebuild": """
        from hub.store.rebuilding import check_rebuild
        check_rebuild(store, pause)
        """,
}
"""Each stops in the middle of its work."""
PAUSE = """
        import signal
        def pause(*_):
            print("at work", flush=True)
            signal.pause()
        """


@contextmanager
def at_work(backend: Backend, what: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, in the middle of it."""
    backend.open().close()
    script = textwrap.dedent(PAUSE) + textwrap.dedent(AT_WORK[what])
    process = backend.run(script, str(folder))
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "at work\n", process.stdout.read()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def data(backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, which is where the engines have their scratch files too."""
    data = tmp_path / "data"
    (data / "attachments").mkdir(parents=True)
    (data / "out").mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(data))
    monkeypatch.setattr("tempfile.tempdir", str(data))
    return data


def working(*places: Path) -> list[Path]:
    return [each for place in places for each in place.iterdir() if each.name.startswith(KINDS)]


def files(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if not each.is_dir()}


@pytest.mark.parametrize("what", ["backup", "rebuild"])
def test_who_works_keeps_its_folder_and_who_was_killed_does_not(
    backend: Backend, data: Path, what: str
) -> None:
    with at_work(backend, what, data) as process:
        places = {data, scratch_folder(backend.open().folder)}
        (folder,) = working(*places)
        for _ in range(2):
            (told,) = sweep(*places)
            assert str(folder) in told
            assert "goes when that ends" in told
        assert any(folder.iterdir())
        process.kill()
        process.wait()
        assert sweep(*places) == []
        assert working(*places) == []


def test_a_backup_takes_away_what_one_to_the_same_target_left(backend: Backend, data: Path) -> None:
    target = data / "out" / "b.tgz"
    with at_work(backend, "backup", data) as process:
        (part,) = target.parent.iterdir()
        beside = [target.with_name(name) for name in ("c.tgz.0123abcd.part", "b.tgz.notours.part")]
        for each in beside:
            each.touch()
        sweep_parts(target)
        assert part.exists(), "it is being written"
        process.kill()
        process.wait()
        assert write_backup(backend.open(), data / "attachments", target)["events"] == 1
    assert set(target.parent.iterdir()) == {target, *beside}
    assert working(data) == []


def test_a_rebuild_takes_away_what_one_left(backend: Backend, data: Path) -> None:
    with at_work(backend, "rebuild", data) as process:
        process.kill()
        process.wait()
        store = backend.open()
        assert working(scratch_folder(store.folder))
        assert check_rebuild(store, lambda session, target: 0) == (0, None)
        assert working(scratch_folder(store.folder)) == []


# --- what is not ours, and what is in between ---------------------------------------------------------------


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder that a killed backup left."""
    folder = tmp_path / f"{BACKUP}0a_b1c2d"
    (folder / "attachments").mkdir(parents=True)
    for name in (HELD, "simpul.db", "simpul.db-journal", "attachments/x"):
        (folder / name).write_text("kalimat")
    return folder


def test_what_nobody_holds_goes(left: Path) -> None:
    assert sweep(left.parent) == []
    assert not left.exists()


def test_a_folder_that_was_never_begun_goes(tmp_path: Path) -> None:
    (tmp_path / f"{BACKUP}0a_b1c2d").mkdir()
    assert sweep(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".simpul-backup-long-name", ".simpul-other-0a_b1c2d", "backup-20261120"])
def test_a_name_that_is_not_ours_stays(left: Path, name: str) -> None:
    other = left.rename(left.with_name(name))
    before = files(other)
    sweep(other.parent)
    assert files(other) == before


def test_no_link_is_followed(left: Path, tmp_path: Path) -> None:
    """Neither one in the folder's place nor one within."""
    kept = tmp_path / "kept"
    left.rename(kept)
    left.symlink_to(kept)
    before = files(kept)
    assert sweep(tmp_path) == []
    assert (files(kept), left.is_symlink()) == (before, True)
    left.unlink()
    left.mkdir()
    (left / HELD).touch()
    (left / "folder").symlink_to(kept)
    (left / "file").symlink_to(kept / "simpul.db")
    assert sweep(tmp_path) == []
    assert (files(kept), left.exists()) == (before, False)
    (tmp_path / "b.tgz.0123abcd.part").symlink_to(kept / "simpul.db")
    sweep_parts(tmp_path / "b.tgz")
    assert files(kept) == before


def test_what_has_no_lock_is_named_and_stays(left: Path) -> None:
    """Whether somebody works in it, nobody can say."""
    (left / HELD).unlink()
    (told,) = sweep(left.parent)
    assert told.startswith(f"{left}, ")
    assert told.endswith("delete it")
    assert (left / "simpul.db").exists()


@pytest.mark.parametrize(
    ("name", "file"), [("backup-0a_b1c2d", "simpul.db"), ("rebuild-0a_b1c2d", "rebuilt.db")]
)
def test_what_an_earlier_version_left_is_named(tmp_path: Path, name: str, file: str) -> None:
    """Its name could be an operator's own."""
    (tmp_path / name).mkdir()
    assert sweep(tmp_path) == []
    (tmp_path / name / file).touch()
    (told,) = sweep(tmp_path)
    assert re.fullmatch(rf"{tmp_path / name}, .* delete it", told)


def test_what_cannot_be_removed_is_named(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuses)
    (told,) = sweep(left.parent)
    assert "Permission denied" in told
    assert (left / HELD).exists(), "so that the next one tries again"


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    assert sweep(tmp_path / "none", None) == []


def test_a_folder_by_two_names_is_looked_through_once(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(left.parent)
    (left / HELD).unlink()
    assert len(sweep(Path(), left.parent)) == 1


def test_in_a_folder_that_all_share_only_ones_own_counts(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left.parent.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert sweep(left.parent) == []
    assert left.exists()


def test_a_sweep_between_the_making_and_the_lock_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is just made is nobody's yet."""
    hold, rounds = leftovers.hold, []

    def swept_first(descriptor: int, path: Path) -> bool:
        if not rounds:
            assert sweep(tmp_path) == []
        rounds.append(path)
        return hold(descriptor, path)

    monkeypatch.setattr(leftovers, "hold", swept_first)
    with working_folder(BACKUP, tmp_path) as folder:
        (folder / "simpul.db").touch()
        assert len(sweep(tmp_path)) == 1
        assert folder.exists()
    assert len(rounds) == 2
    assert list(tmp_path.iterdir()) == []


def test_where_there_are_no_locks_nothing_is_removed(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: Any) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuses)
    with working_folder(BACKUP, left.parent) as folder:
        assert len(sweep(left.parent)) == 2
        assert folder.exists()
    assert left.exists()
