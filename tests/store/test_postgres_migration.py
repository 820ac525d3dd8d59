"""Migrating PostgreSQL: the same tables, one process at a time, beside older and newer programs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from hub.errors import MigrationNeeded, StoreError
from hub.store.migrate import HEAD, current_revision, migrate, require_current, schema_of
from hub.store.tables import metadata
from tests.parts.postgres import drop_database, make_database, shared_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def url() -> Iterator[str]:
    made = make_database()
    yield made
    drop_database(made)


def say(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def test_migrating_leads_to_the_tables(postgres_template: str) -> None:
    engine = create_engine(
        "postgresql+psycopg://", poolclass=NullPool, creator=lambda: psycopg.connect(postgres_template)
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_an_index_holds_some_of_the_rows_here_as_on_sqlite(postgres_template: str) -> None:
    """The tables tell it of SQLite alone, and Alembic compares it on no engine."""
    with psycopg.connect(postgres_template) as connection:
        rows = connection.execute(
            "SELECT relname, pg_get_expr(indpred, indrelid) FROM pg_index "
            "JOIN pg_class ON pg_class.oid = indexrelid WHERE indpred IS NOT NULL"
        ).fetchall()
    told = {
        index.name: str(where)
        for table in metadata.sorted_tables
        for index in table.indexes
        if (where := index.dialect_options["sqlite"]["where"]) is not None
    }
    assert told["cases_ended"] == "ended_at IS NOT NULL"
    assert {name: condition.strip("()") for name, condition in rows} == told | {
        "deliveries_open": "state <> 'done'::text"
    }


def test_every_text_is_compared_byte_by_byte(postgres_template: str) -> None:
    with psycopg.connect(postgres_template) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type = 'text'"
        ).fetchall()
    texts = {
        (table.name, c.name)
        for table in metadata.sorted_tables
        for c in table.columns
        if str(c.type) == "TEXT"
    }
    assert {(table, column) for table, column, _ in rows} == texts
    assert {collation for _, _, collation in rows} == {"C"}


def test_who_may_not_migrate_is_told_how(url: str) -> None:
    with pytest.raises(MigrationNeeded, match="run `simpul migrate`"):
        require_current(url)
    assert current_revision(url) is None
    assert migrate(url)
    assert not migrate(url)
    assert current_revision(url) == HEAD
    require_current(url)
    say(url, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(MigrationNeeded, match=rf"0001.*{HEAD}.*run `simpul migrate`"):
        require_current(url)


def test_older_programs_go_on_beside_a_schema_that_was_only_expanded(url: str) -> None:
    migrate(url)
    say(url, "UPDATE alembic_version SET version_num = '9999'")
    found = schema_of(url)
    assert found is not None and found.suits
    require_current(url)
    assert not migrate(url)


def test_a_schema_that_this_program_cannot_use_is_refused_in_words(url: str) -> None:
    migrate(url)
    say(url, "UPDATE alembic_version SET version_num = '9999'")
    say(url, "UPDATE facts SET value = '9999' WHERE name = 'compatible_from'")
    for attempt in (require_current, migrate):
        with pytest.raises(StoreError, match="newer version"):
            attempt(url)


def test_several_that_migrate_at_once_make_one_schema(url: str) -> None:
    script = (
        "import sys; from hub.store.migrate import migrate\n"
        "from hub.store.postgres.store import PostgresStore\n"
        "migrate(sys.argv[1])\n"
        "with PostgresStore(sys.argv[1]).read() as session: print(session.incarnation())"
    )
    command = [sys.executable, "-c", script, url]
    root = Path(__file__).parents[2]
    children = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {child.communicate()[0].strip().splitlines()[-1] for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(answers) == 1
    assert len(answers.pop()) == 32


def test_a_database_that_cannot_hold_every_letter_is_refused() -> None:
    server = shared_postgres()
    say(server + "postgres", "DROP DATABASE IF EXISTS test_latin WITH (FORCE)")
    say(server + "postgres", "CREATE DATABASE test_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(StoreError, match="UTF8"):
            migrate(server + "test_latin")
    finally:
        drop_database(server + "test_latin")
