"""A real MariaDB for tests: the address in SIMPUL_TEST_MARIADB_URL, else local binaries in a folder of /tmp.

`mariadb_url()` is a context manager that gives mysql://user:password@host:port/ without a database; the user
may create databases. Raises PartMissing."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pymysql

from tests.parts.local_server import PartMissing, folder_of, free_port, run_as, server, user_for


@contextlib.contextmanager
def mariadb_url() -> Iterator[str]:
    given = os.environ.get("SIMPUL_TEST_MARIADB_URL")
    if given:
        yield given.rstrip("/") + "/"
        return
    binaries = [
        shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        for name in ("mariadbd", "mariadb-install-db")
    ]
    if not all(binaries):
        raise PartMissing("MariaDB's server is not installed: apt-get install mariadb-server")
    daemon, installer = str(binaries[0]), str(binaries[1])
    user = user_for(("mysql",))
    with folder_of(user, "mariadb") as folder:
        data, port = folder / "data", free_port()
        # Whoever starts takes away the temporary files that lie where it makes its own, another server's too.
        making = [installer, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", "--skip-test-db"]
        run_as(user, [*making, *_root_login(user)], folder)
        with server(user, _command(daemon, folder, data, port), folder, lambda: _connect(port).close()):
            yield f"mysql://root:@127.0.0.1:{port}/"


def _root_login(user: str | None) -> list[str]:
    return ["--auth-root-authentication-method=normal", *([f"--user={user}"] if user else [])]


def _command(daemon: str, folder: Path, data: Path, port: int) -> list[str]:
    return [
        daemon, "--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", f"--socket={folder}/s",
        f"--port={port}", "--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-buffer-pool-size=16M",
        "--innodb-flush-log-at-trx-commit=2", "--performance-schema=OFF", "--sql-mode=",
    ]  # fmt: skip


def _connect(port: int) -> pymysql.Connection:  # type: ignore[type-arg]
    return pymysql.connect(host="127.0.0.1", port=port, user="root", connect_timeout=2, ssl_disabled=True)
