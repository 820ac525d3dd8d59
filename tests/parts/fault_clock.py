"""A wall clock that jumps: for whole processes (the hub's, PostgreSQL's), without touching the machine's own.

A small C library is preloaded. libfaketime is not taken because under it Python's `time.sleep` fails (0.9.10,
monotonic clock left true: clock_nanosleep gives EINVAL); Linux' time namespaces shift no wall clock."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.parts.local_server import PartMissing

SOURCE: Final = Path(__file__).with_suffix(".c")
NANOSECONDS: Final = 1_000_000_000


class FaultClock:
    """`env` makes a process live by this clock; `shift` moves all of them at once, while they run."""

    def __init__(self) -> None:
        made = library()
        self._file = made.with_name(f"{secrets.token_hex(4)}.shift")
        self._file.write_bytes(struct.pack("q", 0))
        self._file.chmod(0o644)  # PostgreSQL runs as another user
        self.env: Mapping[str, str] = {"LD_PRELOAD": str(made), "FAULT_CLOCK_FILE": str(self._file)}

    def shift(self, seconds: float) -> None:
        """From now on the clock is so much ahead of the true one; negative: behind; 0: true again."""
        with self._file.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("q", int(seconds * NANOSECONDS)))

    @contextlib.contextmanager
    def inherited(self) -> Iterator[None]:
        """Processes that are started meanwhile live by this clock."""
        before = {name: os.environ.get(name) for name in self.env}
        os.environ.update(self.env)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@functools.cache
def library() -> Path:
    """Compiled for this run. PartMissing without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise PartMissing("no C compiler, which a clock that jumps needs: apt-get install gcc libc6-dev")
    folder = Path(tempfile.mkdtemp(prefix="simpul-fault-clock-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    made = folder / "fault_clock.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(made), str(SOURCE), "-ldl"],
        check=True,
    )
    return made
