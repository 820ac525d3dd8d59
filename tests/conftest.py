"""How several workers share the tests out, with `--dist loadfile`: what takes longest begins first, so that
no worker ends alone with it; tests that share a broker go to one worker, which starts it once. And which
tests start the hub's installed script; to all others it is forked (tests/parts/forking.py)."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.errors import HypothesisSideeffectWarning
from xdist.scheduler import LoadFileScheduling

from hub.store import migrate
from tests.parts import ending, forking, kafka_classes, migrated, rewritten, scratch
from tests.parts.at_once import at_once

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Whoever sets it spares a folder; here hundreds of processes would compile the whole hub, each for itself.
scratch.in_memory()

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
# Four workers share two processors: how long one example takes on the wall says nothing of it. What must be
# quick is measured in processor time, where it is asserted.

YOUNG_OBJECTS = 20_000
"""As in a hub that serves."""
ONE_BROKER = ("tests/connectors/kafka_kind/", "tests/bus/kafka_broker/", "tests/secure/", "tests/whole/")
"""Each has a session's fixture with a broker."""
LONG = (
    "tests/bus/kafka_broker/",
    "tests/whole/test_installed_script.py",
    "tests/whole/",
    "tests/e2e/",
    "tests/demo/test_cluster_demo.py",
    "tests/demo/test_demo.py",
    "tests/connectors/kafka_kind/",
    "tests/chaos/test_chaos_cluster.py",
    "tests/fuzz/",
    "tests/stream/",
    "tests/chaos/",
    "tests/store/test_move",
    "tests/connectors/",
    "tests/privacy/",
    "tests/delivery/",
)
"""By the time they take, longest first, but so that neighbours, which run side by side, are one that computes
and one that mostly waits; no two of the three with a cluster. Whatever is not named follows."""
INSTALLED = ("tests/whole/test_installed_script.py", "tests/demo/", "tests/deploy/")
"""These start the hub as an operator does."""
MIGRATING = (
    "tests/store/test_migrati",
    "tests/store/test_postgres_migration.py",
    "tests/whole/",
)
"""These make their databases by migrations."""
migrate._upgrade = migrated.upgrade
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
# The hub in the tests' own process logs exceptions too: drawn as structlog does it by itself, with every
# frame's source in colour, one costs as much as a test.


class InOrder(LoadFileScheduling):  # type: ignore[misc]  # xdist is untyped
    """Files in the order of the collection, not by how many tests they hold: the longest hold few."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        shared = (folder for folder in ONE_BROKER if nodeid.startswith(folder))
        return next(shared, None) or str(super()._split_scope(nodeid))


def pytest_configure(config: pytest.Config) -> None:
    """As a plugin: what is the session's a folder's conftest does not hear of."""
    config.pluginmanager.register(ending)
    if getattr(
        config.option, "numprocesses", None
    ):  # of the workers' chief; with one process nothing is done twice
        forking.ahead()
        kafka_classes.ahead()
        at_once([*rewritten.works(config, Path(__file__).parent), unicode_tables])


def unicode_tables() -> None:
    """Hypothesis makes them once a folder, in two seconds, and warns of whoever asks for them so early: here
    that is the purpose, and nobody waits for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisSideeffectWarning)
        st.text().validate()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InOrder | None:
    return InOrder(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays to the end: to look through it for garbage again and again, now and at every
    full collection of the tests', takes more processor time than many a folder of tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    """Where it stands in LONG; sorting by it keeps what is equal in its order."""
    return next((number for number, start in enumerate(LONG) if nodeid.startswith(start)), len(LONG))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture, the session's too."""
    forking.wanted = not item.nodeid.startswith(INSTALLED)
    migrated.wanted = not item.nodeid.startswith(MIGRATING)


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """`simpul` configures logging and caches its loggers. Where a test runs it in its own process, later
    tests there would hear nothing of what the hub logs."""
    configure, before = structlog.configure, structlog.get_config()

    def uncached(**given: Any) -> None:
        configure(**given | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:  # of its own: `monkeypatch` must be undone before others end
        patch.setattr(structlog, "configure", uncached)
        yield
    configure(**before)
