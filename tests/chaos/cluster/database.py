"""A PostgreSQL server for faults: stopped, killed with all its processes, started again over its folder."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

import psutil
import psycopg

from tests.parts.fault_clock import FaultClock
from tests.parts.local_server import run_as
from tests.parts.postgres import LocalCluster, local_cluster

GONE_WITHIN_S = 20.0


class Database:
    """`fsync` is on, as for a crash run it must be."""

    def __init__(
        self, server: LocalCluster, stack: contextlib.ExitStack, clock: FaultClock | None = None
    ) -> None:
        self._server, self._stack, self._clock = server, stack, clock

    def make(self) -> str:
        """A new database's URL."""
        name = f"chaos_{secrets.token_hex(4)}"
        with psycopg.connect(self._server.url + "postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return self._server.url + name

    def stop(self) -> None:
        """As an operator does (a fast shutdown): sessions are ended, nothing is left to recover."""
        postmaster = self._postmaster()
        postmaster.send_signal(2)
        self._wait([postmaster])

    def kill(self) -> None:
        """kill -9 of the server and of every process of its own."""
        postmaster = self._postmaster()
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._wait(processes)

    def fill_disk(self, limit_bytes: int) -> None:
        """From now on no file of the server grows beyond so much, as when its disk is full."""
        postmaster = self._postmaster()
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with contextlib.suppress(RuntimeError):  # it has just ended
                limit = ["prlimit", f"--pid={process.pid}", f"--fsize={limit_bytes}:"]
                run_as(self._server.user, limit, self._server.folder)

    def start(self) -> None:
        """Also one whose disk was full, and which gave up or hangs for it."""
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
            self.kill()
        with _by(self._clock):
            self._stack.enter_context(self._server.running())

    def _postmaster(self) -> psutil.Process:
        """NoSuchProcess when it is gone; its number may be another program's by now."""
        process = psutil.Process(int((self._server.data / "postmaster.pid").read_text().split()[0]))
        if process.name() != "postgres":
            raise psutil.NoSuchProcess(process.pid)
        return process

    @staticmethod
    def _wait(processes: list[psutil.Process]) -> None:
        _, left = psutil.wait_procs(processes, GONE_WITHIN_S)
        if left:
            raise RuntimeError(f"PostgreSQL did not end within {GONE_WITHIN_S} s: {left}")

    @property
    def clock(self) -> FaultClock:
        assert self._clock is not None, "the database lives by the machine's clock"
        return self._clock


@contextlib.contextmanager
def database(clock: FaultClock | None = None) -> Iterator[Database]:
    """Running, by that wall clock if one is given. PartMissing without PostgreSQL's binaries."""
    with contextlib.ExitStack() as stack:
        with _by(clock):
            server = stack.enter_context(local_cluster(durable=True))
        yield Database(server, stack, clock)


def _by(clock: FaultClock | None) -> contextlib.AbstractContextManager[None]:
    return clock.inherited() if clock else contextlib.nullcontext()
