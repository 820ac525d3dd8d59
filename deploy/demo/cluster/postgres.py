"""A PostgreSQL server from the binaries on this machine, in a folder that is kept."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from signal import SIGINT

import psycopg

from deploy.demo.cluster.layout import ClusterLayout
from deploy.demo.environment import clean_environment
from deploy.demo.layout import HOST
from deploy.demo.ports import CannotStart
from deploy.demo.processes import Order

INITDB_WITHIN_S = 90.0
SETTINGS = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=32MB")


def binaries() -> Path | None:
    """The folder of initdb and postgres: on the PATH, or Debian's newest."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    whole = (each for each in candidates if (each / "initdb").exists() and (each / "postgres").exists())
    return next(whole, None)


def missing() -> list[str]:
    if binaries() is None:
        return ["PostgreSQL's server is not installed: apt-get install postgresql"]
    if os.geteuid() == 0 and user() is None:
        return ["PostgreSQL refuses to run as root: make a user for it, useradd --system postgres"]
    return []


def user() -> str | None:
    """Whom it runs as where we are root; it refuses that."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def folder(layout: ClusterLayout) -> Path:
    """Beside everything else; where root runs this below a folder that is closed to others, in /var/tmp."""
    inside = layout.folder / "postgres"
    closed = [parent for parent in layout.folder.parents if not parent.stat().st_mode & 0o001]
    if user() is None or not closed:
        return inside
    name = hashlib.sha256(str(layout.folder).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"simpul-cluster-{name}"  # noqa: S108 (made and owned below; kept over a restart)


def prepare(layout: ClusterLayout, password: str) -> None:
    """Makes the server's folder where it is new."""
    home = folder(layout)
    if (home / "data" / "PG_VERSION").exists():
        return
    shutil.rmtree(home, ignore_errors=True)  # an initdb that was broken off
    home.mkdir(mode=0o700)
    secret = home / "password"
    secret.touch(mode=0o600)
    secret.write_text(password, "ascii")
    if (owner := user()) is not None:
        shutil.chown(home, owner)
        shutil.chown(secret, owner)
    _initdb(home, secret)
    secret.unlink()


def _initdb(home: Path, secret: Path) -> None:
    making = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C"]
    ended = subprocess.run(
        [_program("initdb"), "-D", str(home / "data"), *making],
        cwd="/", user=user(), capture_output=True, text=True, timeout=INITDB_WITHIN_S, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise CannotStart(f"PostgreSQL's folder cannot be made:\n  {ended.stderr[-800:]}")


def order(layout: ClusterLayout) -> Order:
    """Told to end by SIGINT: it then cuts the connections that are left, and ends in good order."""
    command = [_program("postgres"), "-D", str(folder(layout) / "data"), "-p", str(layout.postgres_port)]
    for setting in SETTINGS:
        command += ["-c", setting]
    return Order(command, clean_environment(), user(), SIGINT)


def make_database(layout: ClusterLayout, password: str) -> None:
    """The hub's, once. Raises psycopg.OperationalError while the server does not answer yet."""
    with psycopg.connect(
        host=HOST, port=layout.postgres_port, user="postgres", password=password, dbname="postgres",
        autocommit=True, connect_timeout=2,
    ) as server:  # fmt: skip
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = 'simpul'").fetchone():
            server.execute("CREATE DATABASE simpul")


def _program(name: str) -> str:
    where = binaries()
    assert where is not None, "`missing` was asked before"
    return str(where / name)
