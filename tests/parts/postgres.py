"""A real PostgreSQL for tests: the address in SIMPUL_TEST_POSTGRES_URL, else local binaries, in /tmp.

`postgres_url()` is a context manager that gives postgresql://user:password@host:port/ without a database; the
user may create databases. `durable=True` leaves fsync on, for crash runs. Raises PartMissing."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.parts.local_server import PartMissing, folder_of, free_port, run_as, server, user_for


@contextlib.contextmanager
def postgres_url(durable: bool = False) -> Iterator[str]:
    given = os.environ.get("SIMPUL_TEST_POSTGRES_URL")
    if given:
        yield given.rstrip("/") + "/"
        return
    binaries = _binaries()
    user = user_for(("postgres",))
    with folder_of(user, "postgres") as folder:
        data, port = folder / "data", free_port()
        initdb = [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        run_as(user, [*initdb, "--no-sync"], folder)
        command = [
            str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1",
            "-c", f"unix_socket_directories={folder}", "-c", f"fsync={'on' if durable else 'off'}",
        ]  # fmt: skip
        with server(user, command, folder, lambda: _connect(port).close()):
            yield f"postgresql://postgres@127.0.0.1:{port}/"


def _binaries() -> Path:
    """The folder of initdb and postgres: on the PATH, or Debian's newest."""
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PartMissing("PostgreSQL's server is not installed: apt-get install postgresql")


def _connect(port: int) -> psycopg.Connection:  # type: ignore[type-arg]
    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=2)
