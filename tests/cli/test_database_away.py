"""A database that cannot be reached is named with its setting, its place and the remedy."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from click.testing import CliRunner, Result

from hub.cli import away
from hub.cli.main import main
from hub.errors import StoreUnavailable
from hub.store.postgres.errors import translated
from tests.parts.hub import HubProcess
from tests.parts.local_server import free_port
from tests.parts.postgres import drop_database, make_database

COMMANDS = ["agency list", "migrate", "rebuild", "rebuild --check", "backup b", "serve"]


@pytest.fixture
def postgres() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


def simpul(folder: Path, line: str, **env: str) -> Result:
    return CliRunner().invoke(main, line.split(), env={"SIMPUL_DATA_DIR": str(folder)} | env)


@pytest.mark.parametrize("line", COMMANDS)
def test_postgresql_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    port = free_port()
    url = f"postgresql://simpul:raha%40sia@127.0.0.1:{port}/simpul"
    refused = simpul(tmp_path / "var", line, SIMPUL_DATABASE_URL=url)
    assert refused.exit_code == 1, refused.output
    (said,) = refused.stderr.splitlines()
    assert said.startswith(f"simpul: SIMPUL_DATABASE_URL: PostgreSQL at 127.0.0.1:{port} ")
    assert "is it running" in said.lower()
    assert "Error" not in said
    assert "raha" not in said
    assert "sia" not in said


def test_the_file_s_key_is_named(tmp_path: Path) -> None:
    port, config = free_port(), tmp_path / "simpul.toml"
    config.write_text(f'database_url = "postgresql://simpul@127.0.0.1:{port},127.0.0.1:{port}/simpul"\n')
    refused = simpul(tmp_path / "var", f"--config {config} agency list")
    assert (
        f"{config}: database_url: PostgreSQL at 127.0.0.1:{port}, 127.0.0.1:{port} cannot" in refused.stderr
    )
    assert refused.stderr.count("\n") == 1


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    url = "postgresql://simpul:rahasia@tidak-ada.invalid/simpul"
    said = simpul(tmp_path / "var", "agency list", SIMPUL_DATABASE_URL=url).stderr
    assert "SIMPUL_DATABASE_URL: PostgreSQL at tidak-ada.invalid:5432 cannot" in said
    assert "%40" in said
    assert "rahasia" not in said


@pytest.mark.postgres
def test_a_wrong_folder_beside_the_right_database_is_told_and_stays_unmade(
    tmp_path: Path, postgres: str
) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    said = simpul(wrong, "agency list", SIMPUL_DATABASE_URL=postgres).stderr
    assert "run `simpul migrate`" in said
    simpul(right, "migrate", SIMPUL_DATABASE_URL=postgres)
    for line in ("agency list", "retention", "rebuild", "backup b"):
        refused = simpul(wrong, line, SIMPUL_DATABASE_URL=postgres)
        assert refused.exit_code == 1
        assert refused.stderr.startswith(f"simpul: There is no hub in {wrong}. Name the folder")
    assert not wrong.exists()
    key = str(right / "master.key")
    listed = simpul(wrong, "agency list", SIMPUL_DATABASE_URL=postgres, SIMPUL_MASTER_KEY_FILE=key)
    assert listed.exit_code == 0, "a key that is kept elsewhere, as in a container"


def test_move_names_its_own_option(tmp_path: Path) -> None:
    simpul(tmp_path / "var", "migrate")
    port = free_port()
    said = simpul(tmp_path / "var", f"move --to postgresql://simpul@127.0.0.1:{port}/simpul").stderr
    assert f"simpul: --to: PostgreSQL at 127.0.0.1:{port} cannot" in said
    raw = simpul(tmp_path / "var", f"move --to postgresql://simpul:p@ss@127.0.0.1:{port}/simpul").stderr
    assert raw.startswith("simpul: --to: ")
    assert "ss@" not in raw


@pytest.mark.postgres
def test_a_database_that_is_not_there(tmp_path: Path, postgres: str) -> None:
    parts = urlsplit(postgres)
    missing = postgres.replace(parts.path, "/tidak_ada")
    said = simpul(tmp_path / "var", "agency list", SIMPUL_DATABASE_URL=missing).stderr
    assert f"SIMPUL_DATABASE_URL: PostgreSQL at {parts.hostname}:{parts.port} cannot" in said
    assert "createdb" in said


@pytest.mark.postgres
def test_what_is_no_matter_of_the_way_there_keeps_its_sentence(postgres: str) -> None:
    with pytest.raises(StoreUnavailable) as refused, psycopg.connect(postgres) as connection, translated():
        connection.execute("SELECT 1 FROM tidak_ada")
    assert away.sentence("SIMPUL_DATABASE_URL", postgres, refused.value) is None
    with pytest.raises(StoreUnavailable) as late, psycopg.connect(postgres) as connection, translated():
        connection.execute("SET statement_timeout = 1")
        connection.execute("SELECT count(*) FROM generate_series(1, 100000000)")
    assert away.sentence("SIMPUL_DATABASE_URL", postgres, late.value) is None


def test_a_taken_port_suggests_one_that_is_free(tmp_path: Path) -> None:
    with contextlib.ExitStack() as taken:
        first = taken.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = first.getsockname()[1]
        for neighbour in (port + 1, 8081):
            with contextlib.suppress(OSError):  # taken by somebody else, which is as good
                taken.enter_context(socket.create_server(("127.0.0.1", neighbour)))
        said = HubProcess(tmp_path, port=port).cli("serve", status=1).stderr.splitlines()[-1]
        assert f"Cannot listen on 127.0.0.1:{port}" in said
        offered = int(said.rpartition("SIMPUL_LISTEN=127.0.0.1:")[2].rstrip("."))
        socket.create_server(("127.0.0.1", offered)).close()
