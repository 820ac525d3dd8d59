"""Databases of older programs, with rows in them, brought to HEAD on both engines: nothing is lost, and what
is new reads as if it had always been there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from alembic import command
from alembic.config import Config

import hub.store
from hub.domain.case import Leg
from hub.errors import StoreError
from hub.ports.effects import Effects
from hub.ports.store import CaseFilter
from hub.store import migrate as migrating
from hub.store.migrate import COMPATIBLE_FROM, HEAD, Schema, migrate, schema_of
from hub.store.opening import open_store
from hub.store.registry import RegistryTables
from tests.parts.postgres import drop_database, make_database
from tests.store.storework import WHEN, case, clock, write

NOT_KNOWN_THEN = ("clocks", "replied", "reopenings", "closed_at", "historical", "overseers")
"""Members of a case's state that programs of 0002 neither wrote nor could read."""


@pytest.fixture
def place(engine: str, tmp_path: Path) -> Iterator[Path | str]:
    if engine == "sqlite":
        yield tmp_path / "simpul.db"
        return
    url = make_database()
    yield url
    drop_database(url)


@pytest.fixture(params=["0001", "0002"])
def older(place: Path | str, request: pytest.FixtureRequest) -> Path | str:
    """A database as a program of that revision left it, with two cases."""
    config = Config()
    config.set_main_option("script_location", str(Path(hub.store.__file__).parent / "migrations"))
    config.attributes |= {
        "engine": migrating._engine(place),
        "facts": {"incarnation": "f" * 32, "registry_generation": "7"},
        "compatible_from": "0001",
    }
    command.upgrade(config, request.param)
    for number in (1, 2):
        fill(place, number)
    assert schema_of(place) == Schema(request.param, "0001")
    return place


def fill(place: Path | str, number: int) -> None:
    leg = Leg(f"leg-{number}", "kotim", "pupr", "lead", "sent", WHEN, WHEN)
    made = case(number, legs=(leg,), status="forwarded")
    document = orjson.loads(orjson.dumps(made.state))
    state = orjson.dumps({key: value for key, value in document.items() if key not in NOT_KNOWN_THEN})
    case_id = made.state.id
    say(place, "INSERT INTO cases (id, tracking_number, status, category, region, updated_at, state, texts) "
        "VALUES (?, ?, 'forwarded', 'road', '6202', ?, ?, ?)",
        case_id, f"T-{number}", WHEN, state, orjson.dumps(made.texts))  # fmt: skip
    for agency, role in (("kotim", 3), ("pupr", 4)):
        say(place, "INSERT INTO case_agencies (agency, case_id, role, status, updated_at) "
            "VALUES (?, ?, ?, 'forwarded', ?)", agency, case_id, role, WHEN)  # fmt: skip


def say(place: Path | str, statement: str, *values: Any) -> None:
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute(statement, values)
        return
    with psycopg.connect(place) as connection:
        connection.execute(statement.replace("?", "%s"), values)  # type: ignore[arg-type]


@pytest.fixture
def opened(older: Path | str) -> Iterator[Callable[[], Any]]:
    """Migrates, then opens the store."""
    made: list[Any] = []

    def open_it() -> Any:
        assert migrate(older)
        made.append(open_store(older, lambda known: None, migrates=False))
        return made[-1]

    yield open_it
    for store in made:
        store.close()


def listed(store: Any, agency: str, wanted: CaseFilter) -> list[str]:
    with store.read() as session:
        return [each.state.id for _, each in session.cases(agency, wanted, None, 10)]


def test_cases_from_before_are_whole_never_wake_and_are_not_overdue(
    older: Path | str, opened: Callable[[], Any]
) -> None:
    store = opened()
    assert schema_of(older) == Schema(HEAD, COMPATIBLE_FROM)
    assert not migrate(older), "once is enough"
    both = [case(2).state.id, case(1).state.id]
    for agency in ("kotim", "pupr"):
        assert listed(store, agency, CaseFilter()) == both
        assert listed(store, agency, CaseFilter(overdue=False)) == both
        assert listed(store, agency, CaseFilter(overdue=True)) == []
    with store.read() as session:
        found = session.case(both[0])
        assert (found.state.clocks, found.state.status, found.texts) == ((), "forwarded", case(2).texts)
        assert session.to_wake("9999", 10) == []
        assert session.incarnation() == "f" * 32, "it is the same hub"
    assert RegistryTables(store).dated_facts() == []
    assert store.registry_generation() == 7


def test_a_case_from_before_gets_its_clocks_by_its_next_event(opened: Callable[[], Any]) -> None:
    store = opened()
    clocks = (clock("missed"), clock("running", WHEN))
    write(store, Effects(changed_cases=[case(1, clocks=clocks, status="forwarded")]))
    assert listed(store, "kotim", CaseFilter(overdue=True)) == [case(1).state.id]
    with store.read() as session:
        assert session.to_wake(WHEN, 10) == [case(1).state.id]


def test_older_programs_refuse_what_they_cannot_read(
    older: Path | str, opened: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a program of 0003 they would fail on every case with a clock."""
    opened()
    monkeypatch.setattr(migrating, "HEAD", "0002")
    with pytest.raises(StoreError, match="newer version"):
        migrate(older)
