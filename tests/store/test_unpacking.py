"""What a backup's file may hold: the database and attachments, as plain files below the folder."""

from __future__ import annotations

import gzip
import io
import random
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from hub.errors import CommandRefused
from hub.store.backups import write_backup
from hub.store.unpacking import ACTING, unpack

CONTENT: Final = b"isi lampiran"
ODD_REVISIONS: Final = ("(6)", "(NULL)", "(x'30')", "('0005'), ('0006')")


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


def with_database(backup: Path, *statements: str) -> Path:
    """The same backup after those statements on its database."""
    database, changed = backup.with_name("changed.db"), backup.with_name("changed.backup")
    with tarfile.open(backup, "r:gz") as old, tarfile.open(changed, "w:gz") as new:
        for each in old:
            content = old.extractfile(each)
            assert content is not None
            if each.name == "simpul.db":
                database.write_bytes(content.read())
                with closing(sqlite3.connect(database)) as connection:
                    connection.executescript(";".join(statements))
                new.add(database, "simpul.db")
            else:
                new.addfile(each, content)
    return changed


def repacked(backup: Path, content: bytes) -> Path:
    """A gzip file that is whole, with that in it."""
    changed = backup.with_name("changed.backup")
    changed.write_bytes(gzip.compress(content, 1))
    return changed


def refused(file: Path, tmp_path: Path, why: str) -> None:
    with pytest.raises(CommandRefused, match=why) as told:
        unpack(file, tmp_path / "out")
    assert str(told.value).startswith(f"{file}: ")


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


@pytest.mark.parametrize("cut", [1, 4, 8, 9])
def test_a_file_that_lacks_its_end_is_refused(backup: Path, tmp_path: Path, cut: int) -> None:
    """The last eight bytes are gzip's checksum and length; the content before them is whole."""
    backup.write_bytes(backup.read_bytes()[:-cut])
    refused(backup, tmp_path, "cannot be read as a backup")


def test_a_checksum_that_does_not_fit_is_refused(backup: Path, tmp_path: Path) -> None:
    damaged = bytearray(backup.read_bytes())
    damaged[-8] ^= 1
    backup.write_bytes(damaged)
    refused(backup, tmp_path, r"cannot be read as a backup \(CRC check failed")


def test_a_bit_that_turned_in_an_attachment_is_refused(backup: Path, tmp_path: Path) -> None:
    """It lies there as it is, so nothing but the checksum knows."""
    random_bytes = random.Random(1).randbytes(1 << 20)
    changed = with_member(backup, tarfile.TarInfo("attachments/cd/cdef"), random_bytes)
    damaged = bytearray(changed.read_bytes())
    damaged[-(1 << 19)] ^= 1
    changed.write_bytes(damaged)
    refused(changed, tmp_path, "cannot be read as a backup")


def test_what_follows_the_end_is_refused(backup: Path, tmp_path: Path) -> None:
    """As where the header of a member is damaged: to tarfile that is the end."""
    whole = gzip.decompress(backup.read_bytes())
    refused(repacked(backup, whole + b"x" * 512), tmp_path, "cannot be read as a backup .*more")
    backup.write_bytes(backup.read_bytes() + b"no gzip")
    refused(backup, tmp_path / "again", "cannot be read as a backup")


def test_a_damaged_header_in_the_midst_is_refused(backup: Path, tmp_path: Path) -> None:
    whole = bytearray(gzip.decompress(backup.read_bytes()))
    whole[whole.index(b"attachments/ab/abcdef")] ^= 1
    refused(repacked(backup, bytes(whole)), tmp_path, "cannot be read as a backup")


def test_an_archive_that_was_cut_before_its_end_is_refused(backup: Path, tmp_path: Path) -> None:
    whole = gzip.decompress(backup.read_bytes())
    cut = whole[: whole.index(b"attachments/ab/abcdef")]
    refused(repacked(backup, cut), tmp_path, "cannot be read as a backup")


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "abc"},
        {"GNU.sparse.map": "a,b", "GNU.sparse.size": "zz"},
        {"GNU.sparse.size": "zz"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "1048576"},
    ],
)
def test_a_sparse_member_is_refused(backup: Path, tmp_path: Path, headers: dict[str, str]) -> None:
    """A few bytes of it could say that they are a terabyte."""
    member = tarfile.TarInfo("attachments/cd/cdef")
    member.pax_headers = headers
    refused(with_member(backup, member, b"abc\nxyz\n"), tmp_path, "backup")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER foreign_one AFTER INSERT ON cases BEGIN DELETE FROM clients; END",
        "CREATE VIEW foreign_one AS SELECT * FROM facts",
        "CREATE VIRTUAL TABLE foreign_one USING fts5(words)",
    ],
    ids=["trigger", "view", "virtual table"],
)
def test_what_works_by_itself_in_the_database_is_left_out(
    backup: Path, tmp_path: Path, statement: str
) -> None:
    database = unpack(with_database(backup, statement), tmp_path / "out")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(ACTING).fetchall() == []


def test_a_view_in_the_place_of_a_table_is_refused(backup: Path, tmp_path: Path) -> None:
    renamed = "ALTER TABLE alembic_version RENAME TO foreign_one"
    viewed = "CREATE VIEW alembic_version AS SELECT * FROM foreign_one"
    refused(with_database(backup, renamed, viewed), tmp_path, "no such table: alembic_version")


@pytest.mark.parametrize(
    "rows",
    ["", *(f"INSERT INTO alembic_version VALUES {row}" for row in ODD_REVISIONS)],
    ids=["none", "an integer", "null", "a blob", "two"],
)
def test_a_database_that_does_not_say_its_revision_is_refused(
    backup: Path, tmp_path: Path, rows: str
) -> None:
    changed = with_database(
        backup, "DROP TABLE alembic_version", "CREATE TABLE alembic_version (version_num)", rows
    )
    refused(changed, tmp_path, "does not say which schema")
