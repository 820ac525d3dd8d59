"""Restores and moves beside processes that may write: an import that goes on or is suspended, hubs whose
connections were cut. Nothing that was acknowledged is lost."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.cli.common import alone as command_alone
from hub.settings import Settings
from hub.store.opening import alone
from tests.parts.hub import Begun, HubFailed, HubProcess
from tests.parts.postgres import drop_database, make_database

ROWS = 700
"""Ten transactions and more; a suspended import is in the middle of them."""
WITHIN_S = 30.0
MAPPING = """
[import]
agency = "kotim"
dates = ["%d/%m/%Y"]
[columns]
reference = "no"
title = "isi"
description = "isi"
category = "jenis"
submitted_at = "masuk"
status = "status"
[values.status]
"Baru" = "submitted"
[values.category]
"Jalan" = "road"
"""


@pytest.fixture
def target() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> HubProcess:
    """A hub that does not run, on either engine, with a backup of its beginning and a file to import."""
    env = {}
    if getattr(request, "param", "sqlite") == "postgres":
        env["SIMPUL_DATABASE_URL"] = request.getfixturevalue("target")
    hub = HubProcess(tmp_path, env)
    hub.desk("migrate")
    hub.desk("agency", "add", "kotim", "--name", "Kotim", "--kind", "regency", "--region", "62.02")
    lines = [f"LAMA-{n},Lampu jalan padam sejak tiga malam.,Jalan,04/03/2019,Baru" for n in range(ROWS)]
    (tmp_path / "lama.csv").write_text("\n".join(["no,isi,jenis,masuk,status", *lines, ""]))
    (tmp_path / "lama.toml").write_text(MAPPING)
    hub.desk("backup", str(tmp_path / "before"))
    return hub


engines = pytest.mark.parametrize(
    "desk", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@contextmanager
def asking(hub: HubProcess) -> Iterator[Callable[[], int]]:
    """How many rows of the file are in the database; over one connection, which sees every commit."""
    url = hub.env.get("SIMPUL_DATABASE_URL")
    server = psycopg.connect(url, autocommit=True) if url else sqlite3.connect(hub.data / "simpul.db")
    with closing(server) as connection:
        yield lambda: int((connection.execute("SELECT count(*) FROM case_references").fetchone() or (0,))[0])


def imported(hub: HubProcess) -> int:
    with asking(hub) as count:
        return count()


def until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@contextmanager
def suspended_import(hub: HubProcess) -> Iterator[Begun]:
    """`simpul import`, stopped by SIGSTOP when it has committed something."""
    with hub.begun("import", "lama.csv", "--mapping", "lama.toml") as command:
        with asking(hub) as count:
            until(count, "nothing was imported")
        command.process.send_signal(signal.SIGSTOP)
        assert command.process.poll() is None
        yield command


def ended(command: Begun) -> tuple[int, str, str]:
    command.process.send_signal(signal.SIGCONT)
    return command.ended(WITHIN_S)


def refused(hub: HubProcess, *arguments: str) -> str:
    """The one line that a command ends with."""
    said = hub.cli(*arguments, status=1).stderr
    assert len(said.splitlines()) == 1, said
    return said


@engines
def test_a_restore_and_a_rebuild_beside_an_import_are_refused_and_nothing_is_lost(desk: HubProcess) -> None:
    with suspended_import(desk) as command:
        for other in (("restore", str(desk.folder / "before")), ("rebuild",)):
            said = refused(desk, *other)
            assert said.startswith(f"simpul: {other[0]} needs the database ")
            assert "`simpul import`" in said
            assert "Wait for its end, or stop it" in said
        status, out, err = ended(command)
    assert (status, json.loads(out)["taken"], err) == (0, ROWS, "")
    assert imported(desk) == ROWS
    assert desk.run("rebuild", "--check")["difference"] is None
    assert desk.run("restore", str(desk.folder / "before"))["events"] > 0
    assert imported(desk) == 0


@pytest.mark.postgres
def test_a_move_beside_an_import_is_refused_and_afterwards_has_it_all(desk: HubProcess, target: str) -> None:
    with suspended_import(desk) as command:
        assert "`simpul import`" in refused(desk, "move", "--to", target)
        assert ended(command)[0] == 0
    assert desk.run("move", "--to", target)["verified"] is True
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT count(*) FROM case_references").fetchone() == (ROWS,)
    assert "was moved to" in refused(desk, "import", "lama.csv", "--mapping", "lama.toml")


def test_a_killed_import_holds_nobody_up(desk: HubProcess) -> None:
    with suspended_import(desk):
        pass
    assert desk.run("restore", str(desk.folder / "before"))["events"] > 0


@engines
def test_who_wants_to_write_while_somebody_is_alone_is_refused(desk: HubProcess) -> None:
    settings = Settings(data_dir=desk.data, database_url=desk.env.get("SIMPUL_DATABASE_URL"))
    with command_alone(settings, "restore"):
        for command in (
            ["import", str(desk.folder / "lama.csv"), "--mapping", str(desk.folder / "lama.toml")],
            ["agency", "add", "kemenpu", "--name", "Kementerian PU", "--kind", "ministry"],
            ["serve"],
        ):
            assert "is under way on the database; wait for its end." in refused(desk, *command)
    assert imported(desk) == 0


@pytest.mark.postgres
@pytest.mark.parametrize("desk", ["postgres"], indirect=True)
def test_an_import_that_was_cut_off_and_overtaken_by_a_restore_says_so(desk: HubProcess, target: str) -> None:
    """As a server does to a session that was idle in its transaction for too long."""
    with suspended_import(desk) as command:
        with psycopg.connect(target, autocommit=True) as operator:
            cut(operator, "simpul import")
        assert desk.run("restore", str(desk.folder / "before"))["events"] > 0
        status, _, err = ended(command)
    assert status == 1
    assert [line for line in err.splitlines() if line.startswith("simpul: ")] == err.splitlines()[-1:]
    assert "it was restored meanwhile" in err.splitlines()[-1]
    assert imported(desk) == 0
    assert desk.run("rebuild", "--check")["difference"] is None


# --- hubs whose connections were cut ------------------------------------------------------------------------


def cut(operator: psycopg.Connection[Any], name: str) -> int:
    return len(
        operator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            (name,),
        ).fetchall()
    )


@pytest.fixture
def hubs(target: str, tmp_path: Path) -> Iterator[list[HubProcess]]:
    """Two processes of one hub, as they serve."""
    made = [HubProcess(tmp_path, {"SIMPUL_DATABASE_URL": target}, roles=roles) for roles in ("api", "clock")]
    made[0].desk("migrate")
    try:
        for hub in made:
            hub.start(wait=False)
        for hub in made:
            hub.wait_until_ready()
        yield made
    finally:
        for hub in made:
            hub.kill()


@pytest.mark.postgres
def test_hubs_that_were_cut_off_are_there_again_without_any_request(
    hubs: list[HubProcess], target: str, tmp_path: Path
) -> None:
    hubs[0].desk("backup", str(tmp_path / "backup"))
    with psycopg.connect(target, autocommit=True) as operator:
        assert cut(operator, "simpul writer") == 2
        until(lambda: holders(operator) == 2, "the hubs are not there again")
    with pytest.raises(HubFailed, match="restore needs the database for itself, but a hub is running on it"):
        hubs[0].desk("restore", str(tmp_path / "backup"))
    assert all(hub.ready() for hub in hubs)


def holders(operator: psycopg.Connection[Any]) -> int:
    row = operator.execute(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity AS a USING (pid) WHERE locktype = 'advisory' "
        "AND mode = 'ShareLock' AND a.datname = current_database() AND a.application_name = 'simpul writer'"
    ).fetchone()
    return int(row[0]) if row else 0


@pytest.mark.postgres
def test_hubs_that_were_cut_off_end_where_somebody_is_alone_meanwhile(
    hubs: list[HubProcess], target: str
) -> None:
    with psycopg.connect(target, autocommit=True) as operator:
        assert cut(operator, "simpul writer") == 2
        with alone(target, "restore"):
            until(lambda: not any(hub.alive() for hub in hubs), "a hub goes on")
    for hub in hubs:
        assert hub.process
        assert hub.process.wait(1) == 1
    said = [line for line in hubs[0].log.read_text().splitlines() if line.startswith("simpul: ")]
    assert len(said) == 2, said
    assert all("`simpul restore` is under way on the database" in line for line in said)
