"""What a move refuses, and what is left when it is given up or taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from hub.errors import CommandRefused, SimpulError
from hub.store.migrate import HEAD
from hub.store.move_marks import mark_of, opened, refuse_moved, undo
from hub.store.moving import move, without_password
from hub.store.opening import open_store
from hub.store.postgres.presence import alone
from tests.parts.postgres import drop_database, make_database
from tests.store.movework import (
    KILLED,
    copied_so_far,
    everything_in,
    killed_move,
    opens,
    say,
    silent,
)
from tests.store.storework import everything, write

pytestmark = pytest.mark.postgres


# --- what is refused --------------------------------------------------------------------------------------


def test_another_hubs_database_is_refused_and_left_alone(
    source: Path, target: str, template: Path, tmp_path: Path
) -> None:
    other = open_store(target, lambda known: None, migrates=True)
    write(other, everything())
    other.close()
    before = everything_in(target)
    with pytest.raises(CommandRefused, match=r"another hub's data.*Nothing was changed"):
        move(source, target, silent)
    assert everything_in(target) == before
    opens(source)


def test_the_half_done_move_of_another_hub_is_refused(
    source: Path, target: str, template: Path, tmp_path: Path
) -> None:
    assert killed_move(source, target, 40) == KILLED
    other = tmp_path / "other.db"
    shutil.copy(template, other)
    with pytest.raises(CommandRefused, match="another hub's data"):
        move(other, target, silent)


def test_a_finished_move_is_not_done_again(source: Path, target: str) -> None:
    move(source, target, silent)
    with pytest.raises(CommandRefused, match="lives in the target already"):
        move(source, target, silent)
    elsewhere = make_database()
    try:
        with pytest.raises(CommandRefused, match=r"already, and that move is finished"):
            move(source, elsewhere, silent)
    finally:
        drop_database(elsewhere)
    opens(target)


def test_a_migrated_but_empty_target_will_do_and_another_revision_will_not(
    source: Path, postgres_template: str
) -> None:
    url = make_database(postgres_template)
    try:
        say(url, "UPDATE alembic_version SET version_num = '0001'")
        with pytest.raises(CommandRefused, match=r"the target 0001: run `simpul migrate`"):
            move(source, url, silent)
        opens(source)
        say(url, f"UPDATE alembic_version SET version_num = '{HEAD}'")
        move(source, url, silent)
    finally:
        drop_database(url)


def test_an_older_sqlite_schema_is_refused_before_the_target_is_touched(source: Path, target: str) -> None:
    with opened(source) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(
        CommandRefused, match=r"schema 0001, a new target gets .*: run `simpul migrate` first"
    ):
        move(source, target, silent)
    with psycopg.connect(target) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone() == (0,)


def test_a_target_with_a_hub_on_it_is_refused(source: Path, target: str) -> None:
    store = open_store(target, lambda known: None, migrates=True)
    try:
        with pytest.raises(CommandRefused, match="a hub is running on it"):
            move(source, target, silent)
    finally:
        store.close()
    with alone(target, "another move"), pytest.raises(CommandRefused, match="for itself"):
        move(source, target, silent)
    opens(source)


# --- staying after all ------------------------------------------------------------------------------------


def test_who_gave_a_move_up_and_went_on_moves_everything_anew(source: Path, target: str) -> None:
    assert killed_move(source, target, 100) == KILLED
    assert copied_so_far(target)
    given_up = undo(source)
    assert given_up is not None
    assert not given_up.finished
    opens(source)
    with opened(source) as connection:
        connection.execute("UPDATE clients SET revoked_at = 'today'")
        connection.execute("DELETE FROM assertions")
    move(source, target, silent)
    assert everything_in(target) == everything_in(source)
    opens(target)


def test_undoing_a_finished_move_gives_a_new_incarnation(source: Path, target: str) -> None:
    incarnation = dict(everything_in(source)["facts"])["incarnation"]
    move(source, target, silent)
    assert undo(source) is not None
    assert dict(everything_in(source)["facts"])["incarnation"] != incarnation
    assert dict(everything_in(target)["facts"])["incarnation"] == incarnation
    opens(source)
    assert undo(source) is None
    with pytest.raises(CommandRefused, match="another hub's data"):
        move(source, target, silent)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://simpul:rahasia@db-1:5433/simpul", "postgresql://simpul@db-1:5433/simpul"),
        ("postgresql://db-1,db-2:5433/simpul?password=rahasia", "postgresql://db-1:5432,db-2:5433/simpul"),
        ("postgresql://u@[::1]/simpul?sslpassword=rahasia", "postgresql://u@[::1]:5432/simpul"),
        ("postgresql:///simpul?host=/run/pg&password=rahasia", "postgresql://%2Frun%2Fpg:5432/simpul"),
    ],
)
def test_no_password_is_kept_or_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_the_mark_holds_no_password(source: Path, target: str) -> None:
    secret = target.replace("://postgres@", "://postgres:rahasia@")
    move(source, secret, silent)
    with opened(source) as connection:
        mark = mark_of(connection)
    assert mark is not None
    assert "rahasia" not in str(mark)
    with pytest.raises(SimpulError) as refused:
        refuse_moved(source)
    assert "rahasia" not in str(refused.value)
