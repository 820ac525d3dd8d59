"""Ends what a folder's tests share with the last of them, not with the run: brokers and hubs that nobody uses
any more would keep a seventh of a processor busy to its end. Who comes back to the folder makes them anew.
tests/conftest.py registers this file."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

_made: list[tuple[pytest.FixtureDef[Any], Any]] = []
"""The session's fixtures that a folder or a file defines, as they were made, with their requests."""


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    if fixturedef.scope == "session" and fixturedef.baseid:
        _made.append((fixturedef, request))
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """After the test's own; at the end of the run pytest does it."""
    yield
    if nextitem is None:
        return
    for ended in [made for made in reversed(_made) if not _within(nextitem.nodeid, made[0].baseid)]:
        _made.remove(ended)
        fixture, request = ended
        fixture.finish(request)


def _within(nodeid: str, place: str) -> bool:
    """Whether the test is of the folder or the file."""
    return nodeid.startswith((f"{place}/", f"{place}::"))
