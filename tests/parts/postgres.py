"""A real PostgreSQL for tests: the address in SIMPUL_TEST_POSTGRES_URL, else a container where Docker answers
and has the image SIMPUL_TEST_POSTGRES_IMAGE, else local binaries in a temporary folder.

`postgres_url()` is a context manager that gives postgresql://user:password@host:port/ without a database; the
user may create databases. `durable=True` leaves fsync on, for crash runs. Raises PartMissing."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.parts.local_server import PartMissing, folder_of, free_port, run_as, server, skip_or_fail, user_for

IMAGE = os.environ.get("SIMPUL_TEST_POSTGRES_IMAGE", "postgres:17")


@contextlib.contextmanager
def postgres_url(durable: bool = False) -> Iterator[str]:
    given = os.environ.get("SIMPUL_TEST_POSTGRES_URL")
    if given:
        yield given.rstrip("/") + "/"
    elif docker_has_the_image():
        with in_a_container(durable) as url:
            yield url
    else:
        with local_cluster(durable) as cluster:
            yield cluster.url


class LocalCluster:
    """A server's folder, started and stopped at will: for tests that kill it."""

    def __init__(self, folder: Path, user: str | None, port: int, durable: bool) -> None:
        self.folder, self.user, self.port, self.durable = folder, user, port, durable
        self.data = folder / "data"
        self.url = f"postgresql://postgres@127.0.0.1:{port}/"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "fsync": "on" if self.durable else "off",
            "max_connections": "200",
        }
        command = [str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with server(self.user, command, self.folder, lambda: _connect(self.port).close()):
            yield

    def run(self, program: str, *arguments: str) -> None:
        run_as(self.user, [str(binaries() / program), *arguments], self.folder)


@contextlib.contextmanager
def local_cluster(durable: bool = False) -> Iterator[LocalCluster]:
    """Made and running, from the binaries on this machine."""
    binaries()
    user = user_for(("postgres",))
    with folder_of(user, "postgres") as folder:
        cluster = LocalCluster(folder, user, free_port(), durable)
        make = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        cluster.run("initdb", "-D", str(cluster.data), *make)
        with cluster.running():
            yield cluster


def docker_has_the_image() -> bool:
    """No image is ever pulled."""
    if not (Path("/var/run/docker.sock").exists() or os.environ.get("DOCKER_HOST")):
        return False
    try:
        import docker

        with contextlib.closing(docker.from_env(timeout=3)) as client:
            client.images.get(IMAGE)
    except Exception:  # whatever it is, Docker does not serve here
        return False
    return True


@contextlib.contextmanager
def in_a_container(durable: bool) -> Iterator[str]:
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    port = free_port()
    command = f"postgres -p {port} -c fsync={'on' if durable else 'off'} -c max_connections=200"
    container = (
        DockerContainer(IMAGE)
        .with_env("POSTGRES_HOST_AUTH_METHOD", "trust")
        .with_env("PGPORT", str(port))
        .with_kwargs(network_mode="host")
        .with_command(command)
        .waiting_for(LogMessageWaitStrategy("ready to accept connections", times=2))
    )
    with container:
        yield f"postgresql://postgres@127.0.0.1:{port}/"


@functools.cache
def binaries() -> Path:
    """The folder of initdb and postgres: on the PATH, or Debian's newest."""
    found = shutil.which("initdb")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PartMissing("PostgreSQL's server is not installed: apt-get install postgresql")


@functools.cache
def _shared() -> str:
    stack = contextlib.ExitStack()
    url = stack.enter_context(postgres_url())
    atexit.register(stack.close)
    return url


def shared_postgres() -> str:
    """One server for the whole test run, stopped when it ends. Where there is none: in CI a failure,
    elsewhere a skip that says what to install."""
    try:
        return _shared()
    except PartMissing as missing:
        skip_or_fail(missing)
        raise


def make_database(template: str | None = None) -> str:
    """A new database on the shared server, a copy of another one's (which nobody may be connected to) if a
    URL is given; its URL. In the locale that trips most over letters and signs, if the server has it."""
    url, name = shared_postgres(), f"test_{secrets.token_hex(6)}"
    source = f"TEMPLATE {template.rsplit('/', 1)[1]}" if template else f"TEMPLATE template0 {_collation(url)}"
    source += _copied_by_file(url)
    _administrator(url, os.getpid()).execute(f"CREATE DATABASE {name} {source}")  # type: ignore[arg-type]
    return url + name


def drop_database(url: str) -> None:
    server_url, name = url.rsplit("/", 1)
    dropping = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    _administrator(f"{server_url}/", os.getpid()).execute(dropping)  # type: ignore[arg-type]


@functools.cache
def _administrator(url: str, _pid: int) -> psycopg.Connection:  # type: ignore[type-arg]
    """Kept: a connection takes a third of what a database does. Not shared with a process that was forked.
    Closed before the server is stopped, which waits for whoever is connected."""
    connection = psycopg.connect(url + "postgres", autocommit=True)
    atexit.register(connection.close)
    return connection


@functools.cache
def _copied_by_file(url: str) -> str:
    """A whole folder copied costs half of what page after page through the log does."""
    with psycopg.connect(url + "postgres") as connection:
        return " STRATEGY file_copy" if connection.info.server_version >= 150000 else ""


@functools.cache
def _collation(url: str) -> str:
    with psycopg.connect(url + "postgres") as connection:
        row = connection.execute(
            "SELECT collname FROM pg_collation WHERE collprovider = 'i' AND collname = 'en-x-icu'"
        ).fetchone()
    return "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'" if row else "ENCODING 'UTF8'"


def _connect(port: int) -> psycopg.Connection:  # type: ignore[type-arg]
    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=2)
