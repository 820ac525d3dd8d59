from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.hub import HubProcess


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    """An empty hub that is running, and is ended whatever happens."""
    process = HubProcess(tmp_path, {"SIMPUL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}).start()
    try:
        yield process
    finally:
        if process.process is not None and process.process.poll() is None:
            process.stop()
