"""One demo for all tests of a module, which follow one another."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.demo.running import Demo  # noqa: E402
from tests.parts.fault_clock import FaultClock  # noqa: E402
from tests.parts.local_server import PartMissing, free_row  # noqa: E402


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("demo") / "ruang demo", free_row(4))
    with suppress(PartMissing):  # its minutes are then those of every clock
        made.clock = FaultClock()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)
