"""A real PostgreSQL that takes its user by TLS and a password (SCRAM-SHA-256) only."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.parts.local_server import folder_of, free_port, user_for
from tests.parts.postgres import LocalCluster, binaries
from tests.secure.authority import Authority, written

USER, DATABASE = "simpul", "simpul"
PASSWORD = "kata sandi/rahasia@41"
"""With characters that mean something in an address."""
SETTINGS = """
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
password_encryption = 'scram-sha-256'
"""
WHO = """
hostssl simpul   simpul   all          scram-sha-256
local   all      postgres              trust
host    postgres postgres 127.0.0.1/32 trust
"""


class SecurePostgres:
    def __init__(self, cluster: LocalCluster, ca_file: Path) -> None:
        self.cluster, self.ca_file = cluster, ca_file

    def url(self, password: str = PASSWORD, host: str = "localhost", **options: str) -> str:
        """As deploy/RUNBOOK.md has it; `options` change its parameters."""
        given = {"sslmode": "verify-full", "sslrootcert": str(self.ca_file)} | options
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items() if value)
        where = f"{USER}:{quote(password, safe='')}@{host}:{self.cluster.port}/{DATABASE}"
        return f"postgresql://{where}?{query}"

    def admin(self, statement: str) -> object:
        """As the operator, by the server's own socket."""
        with psycopg.connect(
            host=str(self.cluster.folder),
            port=self.cluster.port,
            user="postgres",
            dbname="postgres",
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]  # the tests' own
            return cursor.fetchall() if cursor.description else None


@contextlib.contextmanager
def secure_postgres() -> Iterator[SecurePostgres]:
    """Raises PartMissing."""
    binaries()
    user = user_for(("postgres",))
    with folder_of(user, "postgres") as folder:
        cluster = LocalCluster(folder, user, free_port(), durable=False)
        make = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        cluster.run("initdb", "-D", str(cluster.data), *make)
        here = Authority("Otoritas basis data")
        _configure(cluster, here, user)
        with cluster.running():
            made = SecurePostgres(cluster, written(folder, "authority.pem", here.root()))
            made.admin(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            made.admin(f"CREATE DATABASE {DATABASE} OWNER {USER}")
            yield made


def _configure(cluster: LocalCluster, here: Authority, user: str | None) -> None:
    pair = here.issue(("localhost",))
    for name, content in (("server.pem", pair.certificate), ("server.key", pair.key)):
        path = written(cluster.data, name, content)
        path.chmod(0o600)
        if user:
            shutil.chown(path, user)
    with (cluster.data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)
    (cluster.data / "pg_hba.conf").write_text(WHO)
