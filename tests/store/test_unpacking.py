"""What a backup's file may hold: the database and attachments, as plain files below the folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any, Final

import pytest

from hub.errors import CommandRefused
from hub.store.backups import write_backup
from hub.store.unpacking import unpack

CONTENT: Final = b"isi lampiran"


@pytest.fixture
def engine() -> str:
    """Either writes the same file."""
    return "sqlite"


@pytest.fixture
def backup(tmp_path: Path, store: Any) -> Path:
    kept = tmp_path / "data" / "attachments" / "ab" / "abcdef"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(CONTENT)
    write_backup(store, kept.parent.parent, tmp_path / "kept.backup")
    return tmp_path / "kept.backup"


def with_member(backup: Path, member: tarfile.TarInfo, content: bytes = b"") -> Path:
    """The same backup with one member more."""
    member.size = len(content)
    changed = backup.with_name("changed.backup")
    with tarfile.open(backup, "r:gz") as old, tarfile.open(changed, "w:gz") as new:
        for each in old:
            new.addfile(each, old.extractfile(each))
        new.addfile(member, io.BytesIO(content))
    return changed


def linking(name: str, kind: bytes, to: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = kind, to
    return link


def test_what_simpul_backup_wrote_lies_below_the_folder(backup: Path, tmp_path: Path) -> None:
    database = unpack(backup, tmp_path / "out")
    attachment = tmp_path / "out" / "attachments" / "ab" / "abcdef"
    assert attachment.read_bytes() == CONTENT
    assert {path.stat().st_mode & 0o777 for path in (database, attachment)} == {0o600}
    assert {path for path in (tmp_path / "out").rglob("*") if path.is_file()} == {database, attachment}


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/outside",
        "attachments/../outside",
        "attachments/ab/..",
        "attachments/./outside",
        "attachments/ab/deeper/outside",
        "attachments/outside",
        "attachments\\ab\\outside",
        "simpul.db-wal",
        "SIMPUL.DB",
        "simpul.db/",
        "master.key",
    ],
)
def test_a_name_that_no_backup_holds_is_refused(backup: Path, tmp_path: Path, name: str) -> None:
    changed = with_member(backup, tarfile.TarInfo(name), b"x")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(CommandRefused, match="which no backup"):
        unpack(changed, tmp_path / "out")
    assert {path.relative_to(tmp_path).parts[0] for path in set(tmp_path.rglob("*")) - before} == {"out"}


@pytest.mark.parametrize(
    "member",
    [
        linking("attachments/ab/link", tarfile.SYMTYPE, "/etc/passwd"),
        linking("attachments/ab", tarfile.SYMTYPE, "/tmp"),
        linking("attachments/ab/link", tarfile.LNKTYPE, "simpul.db"),
        linking("attachments/ab/device", tarfile.CHRTYPE, ""),
        linking("attachments/ab/pipe", tarfile.FIFOTYPE, ""),
        linking("attachments/ab/folder", tarfile.DIRTYPE, ""),
    ],
    ids=["symbolic", "symbolic folder", "hard", "device", "pipe", "folder"],
)
def test_links_devices_and_folders_are_refused(backup: Path, tmp_path: Path, member: tarfile.TarInfo) -> None:
    with pytest.raises(CommandRefused, match="which no backup"):
        unpack(with_member(backup, member), tmp_path / "out")


def test_a_second_database_in_one_file_is_refused(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="cannot be read as a backup"):
        unpack(with_member(backup, tarfile.TarInfo("simpul.db"), b"x"), tmp_path / "out")


def test_a_mode_in_the_file_is_not_taken_over(backup: Path, tmp_path: Path) -> None:
    open_to_all = tarfile.TarInfo("attachments/cd/cdef")
    open_to_all.mode = 0o6777
    unpack(with_member(backup, open_to_all, CONTENT), tmp_path / "out")
    assert (tmp_path / "out" / "attachments" / "cd" / "cdef").stat().st_mode & 0o7777 == 0o600
