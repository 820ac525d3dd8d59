"""The demo as a process of its own, in a folder and on ports of the test."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.parts.fault_clock import FaultClock

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Demo:
    """`python -m deploy.demo --fast`, or another module, again and again in one folder; its processes live by
    `clock` if one is given."""

    folder: Path
    port: int
    program: Sequence[str] = ("deploy.demo", "--minutes", "3")
    ends_within_s: float = 15.0
    clock: FaultClock | None = None
    process: subprocess.Popen[str] | None = None
    children: list[psutil.Process] = field(default_factory=list)
    output: str = ""

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
        environment |= {"SIMPUL_DEMO_DIR": str(self.folder), "SIMPUL_DEMO_PORT": str(self.port)}
        environment |= self.clock.env if self.clock else {}
        log = self.folder.with_suffix(".out").open("w")
        with log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.program, "--fast"],
                cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

    def until(self, condition: Callable[[], Any], what: str, within_s: float = 60.0) -> None:
        """Waits for another process to get there; fails with what the demo said when it does not."""
        assert self.process is not None
        deadline = time.monotonic() + within_s
        while not condition():
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s} s: {what}\n{self.said()}")
            time.sleep(0.1)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int) -> int:
        """Sends the signal to the supervisor alone; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(self.ends_within_s)

    def said(self) -> str:
        return self.folder.with_suffix(".out").read_text()

    def rows(self, database: str, query: str) -> list[Any]:
        """Rows of one of the demo's databases; none while it is not there yet."""
        path = self.folder / database
        if not path.exists():
            return []
        with contextlib.closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
        ) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def count(self, database: str, query: str) -> int:
        found = self.rows(database, query)
        return int(found[0][0]) if found else 0

    def still_running(self) -> list[str]:
        """The children that live on; a zombie that nobody reaped has ended."""
        alive = []
        for child in self.children:
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE:
                    alive.append(" ".join(child.cmdline()))
        return alive
