"""What a restore takes: a database with the tables that this program makes; attachments, by their content."""

from __future__ import annotations

import io
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from structlog.testing import capture_logs

import hub.store
from hub.errors import CommandRefused
from hub.ports.attachments import could_be_stored
from hub.store import migrate as migrating
from hub.store.backups import write_backup
from hub.store.migrate import HEAD, current_revision
from hub.store.refilling import refill
from hub.store.restoring import add_attachments, restore
from hub.vault.chunks import HEADER, PIECE, PieceWriter
from tests.store.storework import append

NAME = "ab" * 32
FOREIGN = {
    "a column": ("ALTER TABLE cases ADD COLUMN foreign_one TEXT", "cases"),
    "a computed column": ("ALTER TABLE cases ADD COLUMN foreign_one TEXT AS (id)", "cases"),
    "a lacking table": ("DROP TABLE log", "log"),
    "a lacking column": ("DROP TABLE log; CREATE TABLE log (position INTEGER PRIMARY KEY)", "log"),
    "a lacking index": ("DROP INDEX cases_ended", "cases"),
    "a looser column": ("DROP TABLE facts; CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)", "facts"),
    "no facts": ("DELETE FROM facts", "facts"),
    "no incarnation": ("DELETE FROM facts WHERE name = 'incarnation'", "facts"),
    "no number": ("UPDATE facts SET value = 'x' WHERE name = 'registry_generation'", "facts"),
}


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def backup(tmp_path: Path, store: Any) -> Path:
    append(store, "kotim")
    (tmp_path / "source").mkdir()
    write_backup(store, tmp_path / "source", tmp_path / "kept.backup")
    return tmp_path / "kept.backup"


def packed(database: Path, file: Path) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        tar.add(database, "simpul.db")
    return file


def changed(backup: Path, statements: str) -> Path:
    database = backup.with_name("changed.db")
    with tarfile.open(backup, "r:gz") as tar:
        content = tar.extractfile("simpul.db")
        assert content is not None
        database.write_bytes(content.read())
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(statements)
    return packed(database, backup.with_name("changed.backup"))


def restored(file: Path, data: Path) -> int:
    data.mkdir(exist_ok=True)
    return restore(file, data / "simpul.db", data / "attachments", lambda session, target: 1).events


@pytest.mark.parametrize(("statements", "where"), FOREIGN.values(), ids=FOREIGN)
def test_a_database_of_another_shape_is_refused(
    backup: Path, tmp_path: Path, statements: str, where: str
) -> None:
    data = tmp_path / "data"
    restored(backup, data)
    before = (data / "simpul.db").read_bytes()
    file = changed(backup, statements)
    with pytest.raises(CommandRefused, match=where) as told:
        restored(file, data)
    assert str(told.value).startswith(f"{file}: ")
    assert (data / "simpul.db").read_bytes() == before
    assert not list(data.glob(".simpul-restore-*")), "nothing of it stays"


@pytest.mark.postgres
def test_a_database_of_another_shape_is_not_poured_either(backup: Path, tmp_path: Path, target: str) -> None:
    file = changed(backup, "ALTER TABLE clients ADD COLUMN foreign_one TEXT")
    (tmp_path / "data").mkdir()
    with pytest.raises(CommandRefused, match="clients"):
        refill(file, target, tmp_path / "data" / "attachments", lambda session, target: 1)
    assert current_revision(target) is None, "nothing was made there"
    assert refill(backup, target, tmp_path / "data" / "attachments", lambda session, target: 1).events == 1


OWN = """
    CREATE TABLE own_table (x);
    INSERT INTO own_table VALUES (1);
    CREATE INDEX own_index ON cases (status, id);
    CREATE VIEW own_view AS SELECT id FROM cases;
    CREATE TRIGGER own_trigger AFTER INSERT ON cases BEGIN DELETE FROM facts; END;
"""


def test_what_an_administrator_put_beside_the_tables_is_left_out(backup: Path, tmp_path: Path) -> None:
    """Whoever restores in a disaster must not be told to unpack and mend the file first."""
    data = tmp_path / "data"
    assert restored(changed(backup, OWN), data) == 1
    with closing(sqlite3.connect(data / "simpul.db")) as connection:
        left = connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'own_%'").fetchone()
        assert (left, connection.execute("SELECT count(*) > 1 FROM facts").fetchone()) == ((0,), (1,))


def test_statistics_that_somebody_had_gathered_are_no_foreign_table(backup: Path, tmp_path: Path) -> None:
    assert restored(changed(backup, "ANALYZE"), tmp_path / "data") == 1


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
def test_a_backup_of_every_older_revision_is_taken(tmp_path: Path, revision: str) -> None:
    database, data = tmp_path / "older.db", tmp_path / "data"
    config = Config()
    config.set_main_option("script_location", str(Path(hub.store.__file__).parent / "migrations"))
    config.attributes |= {
        "engine": migrating._engine(database),
        "facts": {"incarnation": "f" * 32, "registry_generation": "7"},
        "compatible_from": "0001",
    }
    command.upgrade(config, revision)
    restored(packed(database, tmp_path / "older.backup"), data)
    assert current_revision(data / "simpul.db") == HEAD


@pytest.mark.parametrize(
    "statements",
    [
        "UPDATE alembic_version SET version_num = '0005'; DROP TABLE cases",
        "UPDATE alembic_version SET version_num = '0000x'; DELETE FROM facts WHERE name = 'compatible_from'",
    ],
    ids=["lacks a table", "no such revision"],
)
def test_a_database_that_cannot_be_migrated_is_refused(backup: Path, tmp_path: Path, statements: str) -> None:
    file = changed(backup, statements)
    with pytest.raises(CommandRefused, match="cannot be brought up to date") as told:
        restored(file, tmp_path / "data")
    assert str(told.value).startswith(f"{file}: ")


# --- attachments --------------------------------------------------------------------------------------


def sealed(content: bytes) -> bytes:
    out = io.BytesIO()
    writer = PieceWriter(out, b"k" * 32)
    writer.write(content)
    writer.finish()
    return out.getvalue()


def put(folder: Path, content: bytes) -> Path:
    path = folder / NAME[:2] / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("damage", ["a bit", "the last bit", "cut"])
def test_a_damaged_attachment_is_replaced(tmp_path: Path, damage: str) -> None:
    whole = sealed(b"foto" * (1 << 19))
    there = bytearray(whole)
    if damage == "cut":
        del there[-5:]
    else:
        there[-1 if damage == "the last bit" else len(there) // 2] ^= 1
    put(tmp_path / "source", whole)
    place = put(tmp_path / "target", bytes(there))
    add_attachments(tmp_path / "source", tmp_path / "target")
    assert place.read_bytes() == whole
    assert place.stat().st_mode & 0o777 == 0o600
    assert not list((tmp_path / "target").rglob("*.part"))


def test_an_attachment_that_is_the_same_stays_as_it_is(tmp_path: Path) -> None:
    put(tmp_path / "source", sealed(b"foto"))
    place = put(tmp_path / "target", sealed(b"foto"))
    before = place.stat().st_ino
    add_attachments(tmp_path / "source", tmp_path / "target")
    assert place.stat().st_ino == before


@pytest.mark.parametrize("content", [b"junk", sealed(b"foto")[:20], b""], ids=["junk", "cut", "empty"])
def test_a_damaged_one_in_the_backup_replaces_none(tmp_path: Path, content: bytes) -> None:
    """Where there is none, its remains are better than nothing."""
    put(tmp_path / "source", content)
    place = put(tmp_path / "target", sealed(b"foto"))
    with capture_logs() as logs:
        add_attachments(tmp_path / "source", tmp_path / "target")
    assert place.read_bytes() == sealed(b"foto")
    assert [(each["event"], each["name"]) for each in logs] == [("attachment_damaged", NAME)]
    shutil.rmtree(tmp_path / "target")
    add_attachments(tmp_path / "source", tmp_path / "target")
    assert place.read_bytes() == content


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
def test_every_stored_file_has_the_form(size: int) -> None:
    whole = sealed(bytes(size))
    assert could_be_stored(len(whole), whole[: len(HEADER)])
    assert not could_be_stored(len(whole), b"X" + whole[1 : len(HEADER)])
    assert not could_be_stored(len(HEADER) + size // PIECE * (PIECE + 16) + 7, HEADER)
