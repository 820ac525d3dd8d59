"""A program for tests/parts/test_forking.py: it tells what it was started with."""

from __future__ import annotations

import atexit
import json
import os
import random
import signal
import sys
from pathlib import Path
from threading import Thread, main_thread

OWN = random.Random()


class Held:
    """By itself alone, and so until the collector comes by."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        sys.stderr.write("terlepas\n")


def tells_late() -> None:
    main_thread().join()
    sys.stderr.write("terlambat\n")


def main(prog_name: str) -> None:
    atexit.register(sys.stderr.write, "selesai\n")
    arguments = sys.argv[1:]
    if arguments == ["--late"]:
        Thread(target=tells_late).start()
        Held()
    if arguments == ["--raise"]:
        raise RuntimeError("rusak")
    if arguments == ["--wait"]:
        signal.pause()
    if arguments[:1] == ["--exit"]:
        sys.exit(int(arguments[1]))
    told = {
        "name": prog_name, "arguments": arguments, "folder": str(Path.cwd()), "pid": os.getpid(),
        "environment": dict(os.environ), "stdin": sys.stdin.read(),
        "random": random.random(), "own_random": OWN.random(), "urandom": os.urandom(8).hex(),
    }  # fmt: skip
    json.dump(told, sys.stdout)
