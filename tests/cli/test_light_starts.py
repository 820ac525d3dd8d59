"""An operator waits for every command, and for a hub and a connector that start: each loads what it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

Loaded = dict[str, list[str]]

SCRIPT = """
import atexit, contextlib, gc, io, json, sys

def say_at_the_end():
    loaded["frozen"] = gc.get_freeze_count() > 10_000
    print(json.dumps(loaded))

atexit.register(say_at_the_end)
before, loaded = set(sys.modules), {}

def note(stage):
    loaded[stage] = sorted(set(sys.modules) - before)

def show_help(program):
    with contextlib.redirect_stdout(io.StringIO()):
        program(["--help"], standalone_mode=False)

from hub.cli.main import main as simpul
show_help(simpul)
from connectors.main import main as connector
show_help(connector)
note("help")
import hub.cli.verify
note("verify")
import connectors.checking, connectors.kinds, connectors.runner
note("connector")
import hub.cli.database, hub.cli.serve
note("hub")
"""


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """By stage, what was loaded up to there, in one process."""
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=True
    )
    return dict(json.loads(ended.stdout))


def packages(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_help_loads_no_library_but_clicks(loaded: Loaded) -> None:
    foreign = packages(loaded["help"]) - sys.stdlib_module_names
    assert foreign == {"hub", "connectors", "click"}


def test_who_verifies_evidence_loads_no_database(loaded: Loaded) -> None:
    assert "hub.cli.verify" in loaded["verify"]
    assert not packages(loaded["verify"]) & {"sqlalchemy", "aiohttp", "phonenumbers"}


DRIVERS = {"psycopg", "pymysql", "kafka"}


def test_a_connector_loads_no_driver_before_it_knows_its_database(loaded: Loaded) -> None:
    assert "connectors.runner" in loaded["connector"]
    assert not packages(loaded["connector"]) & DRIVERS


def test_a_hub_on_sqlite_loads_nothing_of_other_engines_nor_what_is_rarely_asked(loaded: Loaded) -> None:
    assert {"hub.app", "hub.store.sqlite.store", "aiohttp.web"} <= set(loaded["hub"])
    rarely = {"phonenumbers", "holidays", "zxcvbn", "openpyxl", "defusedxml", "alembic"}
    assert not packages(loaded["hub"]) & (DRIVERS | rarely)
    assert "sqlalchemy.dialects.postgresql" not in loaded["hub"]


def test_nothing_that_was_loaded_is_walked_through_at_the_end(loaded: Loaded) -> None:
    assert loaded["frozen"]
