"""A SQLite database carried to PostgreSQL: any content, any moment of a kill, any tampered row."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, UniqueConstraint

from hub.errors import CommandRefused
from hub.store import copying, moving, tables
from hub.store.move_marks import opened
from hub.store.moving import MOVED, move
from tests.parts.postgres import drop_database, make_database
from tests.store.movework import (
    KILLED,
    chained,
    copied_so_far,
    everything_in,
    fill,
    killed_move,
    opens,
    say,
    silent,
)

pytestmark = pytest.mark.postgres


# --- what arrives -----------------------------------------------------------------------------------------


def test_every_row_of_every_table_arrives_once(source: Path, target: str) -> None:
    before = everything_in(source)
    moved = move(source, target, silent)
    assert moved.rows == {name: len(rows) for name, rows in before.items()}
    assert min(moved.rows.values()) >= 3, "a table without rows proves nothing"
    assert moved.streams == 4
    assert everything_in(target) == before == everything_in(source)
    opens(target)
    with pytest.raises(CommandRefused, match=r"was moved to postgresql://.*simpul move --undo"):
        opens(source)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Boolean, st.booleans()),
    (BigInteger, st.integers(-(2**63), 2**63 - 1)),
    (Integer, st.integers(-(2**31), 2**31 - 1)),
    (Float, st.floats(allow_nan=False, allow_infinity=False)),
    (LargeBinary, st.binary(max_size=30)),
]


def values(column: Any) -> st.SearchStrategy[Any]:
    found = next((kind for type_, kind in KINDS if isinstance(column.type, type_)), TEXTS)
    return st.none() | found if column.nullable else found


@st.composite
def contents(draw: st.DrawFn) -> dict[str, list[tuple[Any, ...]]]:
    rows = {}
    for table in MOVED:
        if table is tables.log:
            event = st.tuples(TEXTS, st.binary(max_size=30), st.none() | st.binary(max_size=30))
            rows["log"] = chained(draw(st.lists(event, max_size=5)))
            continue
        names = [column.name for column in table.columns]
        unique = [tuple(names.index(c.name) for c in table.primary_key.columns)]
        constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
        unique += [tuple(names.index(c.name) for c in each.columns) for each in constraints]
        unique += [tuple(names.index(c.name) for c in each.columns) for each in table.indexes if each.unique]
        rows[table.name] = draw(
            st.lists(
                st.tuples(*(values(column) for column in table.columns)),
                max_size=3,
                unique_by=tuple(lambda row, at=at: tuple(row[n] for n in at) for at in unique),  # type: ignore[misc]
            )
        )
    return rows


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(rows=contents())
def test_any_content_arrives_as_it_was(
    template: Path, postgres_template: str, tmp_path: Path, rows: dict[str, list[tuple[Any, ...]]]
) -> None:
    path = tmp_path / f"{secrets.token_hex(4)}.db"
    shutil.copy(template, path)
    url = make_database(postgres_template)
    try:
        with opened(path) as connection:
            fill(connection, rows)
        move(path, url, silent)
        assert everything_in(url) == everything_in(path)
    finally:
        drop_database(url)


def test_a_row_that_only_sqlite_takes_is_named(source: Path, target: str) -> None:
    with opened(source) as connection:
        connection.execute("UPDATE cases SET category = 'ja' || char(0) || 'lan' WHERE id = 'kata-7-Ä'")
    with pytest.raises(CommandRefused, match=r"cases: PostgreSQL does not take the row id=kata-7-Ä"):
        move(source, target, silent)
    with pytest.raises(CommandRefused, match="not finished"):
        opens(target)


# --- kills ----------------------------------------


def test_a_move_killed_again_and_again_goes_on_and_nothing_is_there_twice(
    source: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run gets a few statements further than the rows that the ones before it left behind."""
    monkeypatch.setattr(copying, "CHUNK", 4)
    before, kills, filled = everything_in(source), 0, -1
    while (status := killed_move(source, target, 10 + 30 * (kills % 9) + kills)) == KILLED:
        kills += 1
        if copied_so_far(target):
            for place in (source, target):
                with pytest.raises(CommandRefused, match="not finished"):
                    opens(place)
        assert copied_so_far(target) >= filled, "what was committed stays"
        filled = copied_so_far(target)
        assert kills < 300, "it does not get on"
    assert status == 0
    assert kills > 5
    assert everything_in(target) == before
    opens(target)


def test_killed_between_the_last_two_marks_neither_side_starts_and_a_second_run_ends_it(
    source: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = moving.keep_mark

    def keep(connection: Any, mark: Any) -> None:
        plain(connection, mark)
        if mark.finished:
            raise KeyboardInterrupt

    monkeypatch.setattr(moving, "keep_mark", keep)
    with pytest.raises(KeyboardInterrupt):
        move(source, target, silent)
    for place in (source, target):
        with pytest.raises(CommandRefused):
            opens(place)
    monkeypatch.undo()
    assert move(source, target, silent).copied == 0
    opens(target)


# --- what is found ----------------------------------------------------------------------------------------

TAMPERED = [
    (
        "UPDATE cases SET category = 'x' WHERE id = 'kata-3-Ä'",
        r"cases: the row id=kata-3-Ä differs in category",
    ),
    ("UPDATE log SET header = 'x' WHERE position = 9", r"log: the row position=9 differs in header"),
    ("DELETE FROM mailbox WHERE position = 11", r"mailbox: the row agency=kata-11-Ä, position=11 is missing"),
    (
        "INSERT INTO legs VALUES ('aaa', 'x')",
        r"legs: the row id=aaa is there, but not in the source",
    ),
    ("UPDATE webhooks SET active = NOT active WHERE failures = 4", r"webhooks: .* differs in active"),
    ("UPDATE files SET wrapped = NULL WHERE size = 24", r"files: .* differs in wrapped"),
    ("UPDATE facts SET value = 'x' WHERE name = 'registry_generation'", r"facts: .* differs in value"),
    ("INSERT INTO relay_cursors VALUES ('zzz', 1, 'x', 1)", r"relay_cursors: the row name=zzz is there"),
]


@pytest.mark.parametrize(("statement", "sentence"), TAMPERED)
def test_a_row_that_was_changed_on_the_way_is_found(
    source: Path, target: str, statement: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = moving._verify

    def tampering(*arguments: Any) -> None:
        say(target, statement)
        plain(*arguments)

    monkeypatch.setattr(moving, "_verify", tampering)
    with pytest.raises(CommandRefused, match=sentence):
        move(source, target, silent)
    with pytest.raises(CommandRefused, match="not finished"):
        opens(target)


def test_a_log_that_was_broken_before_is_not_called_verified(source: Path, target: str) -> None:
    with opened(source) as connection:
        connection.execute("UPDATE log SET sealed = x'00' WHERE position = 10")
    with pytest.raises(CommandRefused, match="number 3 at position 10 does not follow"):
        move(source, target, silent)
