"""A hub of its own for a test, ended whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.hub import HubProcess


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """Not started yet."""
    process = HubProcess(tmp_path)
    yield process
    process.kill()
