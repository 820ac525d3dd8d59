"""A PostgreSQL server with fsync on, new databases on it, and what its processes cost."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg

from tests.parts.postgres import postgres_url


@dataclass(frozen=True)
class Server:
    """`url` without a database; `pids` of the postmaster, none where it runs on another machine."""

    url: str
    pids: tuple[int, ...]
    made: list[str] = field(default_factory=list)

    def make(self) -> str:
        """A new database's URL."""
        name = f"simpul_bench_{secrets.token_hex(4)}"
        self._run(f"CREATE DATABASE {name}")
        self.made.append(name)
        return self.url + name

    def drop(self) -> None:
        """All that were made."""
        for name in self.made:
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url + "postgres", autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def server() -> Iterator[Server]:
    """Running. PartMissing without PostgreSQL; RuntimeError when it does not write through to the disk."""
    with postgres_url(durable=True) as url:
        with psycopg.connect(url + "postgres", autocommit=True) as connection:
            if connection.execute("SHOW fsync").fetchone() != ("on",):
                raise RuntimeError("this PostgreSQL runs with fsync off; nothing can be compared with it")
            pids = _postmaster(connection.info.backend_pid)
        made = Server(url, pids)
        try:
            yield made
        finally:
            if os.environ.get("SIMPUL_TEST_POSTGRES_URL"):  # somebody else's, and not thrown away
                made.drop()


def settle(url: str) -> None:
    """What autovacuum does within a minute after a load, done now so that it falls into no round."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def say_missing(what: str, missing: Exception) -> None:
    """A sentence; in CI the end of the run."""
    if os.environ.get("CI"):
        raise SystemExit(f"{what}: {missing}")
    print(f"  {what}: {missing}", flush=True)


def _postmaster(backend: int) -> tuple[int, ...]:
    try:
        process = psutil.Process(backend)
        return (process.ppid(),) if process.name() == "postgres" else ()
    except psutil.NoSuchProcess:
        return ()
