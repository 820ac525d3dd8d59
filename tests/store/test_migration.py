"""A migrated database is the one that `tables.py` describes, and HEAD is the newest revision."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

import hub.store
from hub.errors import StoreError, StoreUnavailable
from hub.store.migrate import HEAD, current_revision, migrate
from hub.store.tables import PROJECTIONS, metadata

MIGRATIONS = Path(hub.store.__file__).parent / "migrations"


def test_head_is_the_newest_revision(template: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
    assert current_revision(template) == HEAD


def test_migrating_leads_to_the_tables(template: Path) -> None:
    engine = create_engine(f"sqlite:///{template}", poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def described(path: Path) -> dict[str, list[str]]:
    """name -> SQL, without differences of spacing and of the order of columns. A column that was added later
    stands on the line of the one before."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"
        ).fetchall()
    connection.close()
    return {
        name: sorted(part for piece in re.split(r"[,\n]", sql) if (part := " ".join(piece.split())))
        for name, sql in rows
    }


def test_migrating_makes_the_same_schema_as_the_tables_do(template: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.db"
    engine = create_engine(f"sqlite:///{fresh}", poolclass=NullPool)
    metadata.create_all(engine)
    assert described(template) == described(fresh)


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "simpul.db"
    assert current_revision(path) is None
    assert migrate(path)
    before = path.read_bytes()
    assert not migrate(path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_several_processes_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    path = tmp_path / "simpul.db"
    script = (
        "import sys; from pathlib import Path; from hub.store.migrate import migrate\n"
        "from hub.store.sqlite.store import SqliteStore\n"
        "migrate(Path(sys.argv[1]))\n"
        "with SqliteStore(Path(sys.argv[1])).read() as session: print(session.incarnation())"
    )
    root = Path(__file__).parents[2]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)], cwd=root, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    answers = {child.communicate()[0].strip() for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(answers) == 1
    assert len(answers.pop()) == 32, "whoever came second did not find it half made"


def test_a_database_of_a_newer_program_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "simpul.db"
    migrate(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE facts SET value = '9999' WHERE name = 'compatible_from'")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        migrate(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "simpul.db"
    path.write_bytes(b"bukan basis data " * 300)
    with pytest.raises(StoreUnavailable):
        migrate(path)
    assert path.read_bytes().startswith(b"bukan")


def test_every_table_is_said_to_be_a_projection_or_not() -> None:
    import hub.store.tables as tables

    said = re.findall(r"[a-z_]+", (tables.__doc__ or "").partition("Projections")[2])
    assert set(metadata.tables) - {"log"} <= set(said)
    projections = (tables.__doc__ or "").partition("Not projections")[0]
    assert {table.name for table in PROJECTIONS} <= set(re.findall(r"[a-z_]+", projections))
