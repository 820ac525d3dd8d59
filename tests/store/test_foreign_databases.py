"""A database that holds something else than a hub is refused, by the names of its tables, before anything is
made in it; a newer hub's is told apart."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from hub.errors import StoreError
from hub.store.migrate import Place, migrate
from hub.store.move_marks import mark_of, opened
from hub.store.moving import move
from hub.store.opening import open_store
from tests.parts.postgres import drop_database, make_database
from tests.store.movework import opens, silent

APPS = {
    "a table by a name of ours": (["sessions"], "sessions"),
    "an unrelated table": (["pegawai"], "pegawai"),
    "migrations of its own": (["alembic_version", "orders"], "alembic_version, orders"),
    "facts of its own too": (["alembic_version", "facts"], "alembic_version, facts"),
    "many": ([f"t{n}" for n in range(8)], "t0, t1, t2, t3, t4 and 3 more"),
}


@pytest.fixture
def place(engine: str, tmp_path: Path) -> Iterator[Place]:
    if engine == "sqlite":
        yield tmp_path / "other.db"
        return
    url = make_database()
    yield url
    drop_database(url)


def say(place: Place, *statements: str) -> None:
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return
    with psycopg.connect(place, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)  # type: ignore[arg-type]


def tables(place: Place) -> list[str]:
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection:
            return [row[0] for row in connection.execute("SELECT name FROM sqlite_master ORDER BY 1")]
    with psycopg.connect(place) as server:
        found = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return [row[0] for row in found]


def install(place: Place, app: str) -> str:
    """The app's tables; how they are named in the refusal."""
    names, told = APPS[app]
    say(place, *(f"CREATE TABLE {each} (version_num TEXT)" for each in names))
    if "alembic_version" in names:
        say(place, "INSERT INTO alembic_version VALUES ('9f3a0c21d7be')")
    return told


def refusal(told: str) -> str:
    return rf"holds tables that are not the hub's \({told}\): give it an empty database of its own"


@pytest.mark.parametrize("app", APPS)
def test_another_apps_database_is_refused_and_left_alone(place: Place, app: str) -> None:
    told = install(place, app)
    before, asked = tables(place), list[bool]()
    for attempt in (migrate, lambda place: open_store(place, asked.append, migrates=True)):
        with pytest.raises(StoreError, match=refusal(told)):
            attempt(place)
    assert tables(place) == before
    assert asked == [], "no master key was made for it"


def test_what_somebody_lays_beside_the_hub_s_own_tables_is_no_matter(place: Place) -> None:
    migrate(place)
    say(place, "CREATE TABLE laporan (nomor INTEGER)")
    assert not migrate(place)
    open_store(place, lambda known: None, migrates=True).close()


def test_a_newer_hub_is_told_apart(place: Place) -> None:
    migrate(place)
    say(
        place,
        "UPDATE alembic_version SET version_num = '9999'",
        "UPDATE facts SET value = '9999' WHERE name = 'compatible_from'",
    )
    with pytest.raises(StoreError, match="newer version of simpul"):
        migrate(place)


@pytest.mark.postgres
@pytest.mark.parametrize("app", APPS)
def test_no_hub_is_moved_there(source: Path, target: str, app: str) -> None:
    told = install(target, app)
    before = tables(target)
    with pytest.raises(StoreError, match=refusal(told)):
        move(source, target, silent)
    assert tables(target) == before
    with opened(source) as connection:
        assert mark_of(connection) is None
    opens(source)


@pytest.mark.postgres
def test_a_schema_of_its_own_and_an_extension_s_views_are_empty_enough(target: str) -> None:
    say(
        target,
        "CREATE TABLE pegawai (nomor INTEGER)",
        "CREATE SCHEMA simpul",
        "ALTER DATABASE " + target.rpartition("/")[2].partition("?")[0] + " SET search_path = simpul, public",
    )
    assert migrate(target)
