from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.hub import HubProcess


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """An empty hub that is running, and is ended whatever happens."""
    process = HubProcess(tmp_path)
    try:
        yield process.start()
    finally:
        if process.alive():
            process.stop()
