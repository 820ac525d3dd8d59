"""Where the demo runs the hub's own commands: all of them in one interpreter, since to start one takes longer
than any command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO

from deploy.demo.environment import hub_environment
from deploy.demo.layout import ROOT, Layout
from deploy.demo.ports import CannotStart

WITHIN_S = 120.0
SAID_LINES = 5


class Interpreter:
    """It starts with the first command, and anew after one that failed; `close` ends it."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None

    def run(self, *arguments: str) -> str:
        """Standard output of the command; raises CannotStart with its own sentence when it fails."""
        process = self._running()
        assert self._errors is not None
        said_before = os.fstat(self._errors.fileno()).st_size
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(WITHIN_S, process.kill)
        watchdog.start()
        try:
            with suppress(BrokenPipeError):  # it ended meanwhile: there is no line then
                print(json.dumps(arguments), file=process.stdin, flush=True)
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            named = " ".join(arguments[:3])
            raise CannotStart(f"simpul {named} failed:\n  " + "\n  ".join(self._last_words(said_before)))
        return str(json.loads(line))

    def close(self) -> None:
        """Lets a command that runs finish."""
        if self._process is not None:
            with suppress(BrokenPipeError), self._process as ending:
                self._process = None
                assert ending.stdin is not None
                ending.stdin.close()  # it ends after this
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (until the interpreter's end)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.demo.commands"],
                cwd=ROOT,
                env=hub_environment(self._layout),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                start_new_session=True,  # a Ctrl-C lets it finish; what it registered is then recorded
            )
        return self._process

    def _last_words(self, since: int) -> list[str]:
        """What the interpreter, which ended, said of its last command."""
        assert self._process is not None
        assert self._errors is not None
        self._process.wait()
        self._errors.seek(since)
        said = self._errors.read().strip().splitlines()[-SAID_LINES:]
        self.close()
        return said
