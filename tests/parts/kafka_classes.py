"""The archive of the classes that a broker loads, made once a machine before the tests begin: with it each of
some twenty brokers starts with half the processor time."""

from __future__ import annotations

import atexit
import subprocess
import sys
from pathlib import Path

from tests.parts import kafka, kafka_container, kafka_files
from tests.parts.local_server import PartMissing

ROOT = Path(__file__).resolve().parents[2]
MADE_WITHIN_S = 60.0


def ahead() -> None:
    """Begins to make it, where there is none and brokers are started on this machine. What starts one before
    it is there goes without."""
    if kafka_files.archive().exists() or kafka_container.is_usable() or not _is_installed():
        return
    making = subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT)
    atexit.register(making.wait, MADE_WITHIN_S)


def _is_installed() -> bool:
    try:
        return bool(kafka_files.java() and kafka_files.jars())
    except PartMissing:
        return False


if __name__ == "__main__":
    with kafka.broker():
        pass  # the first broker ever makes the archive when it stops
