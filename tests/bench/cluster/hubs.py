"""A hub of several processes over a new PostgreSQL database and a Kafka broker, with one agency."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from kafka import KafkaAdminClient

from tests.bench.bodies import AGENCY
from tests.bench.cluster.services import Services
from tests.bench.contenders import Contender
from tests.chaos.calls import Api
from tests.parts import kafka
from tests.parts.caller import Member
from tests.parts.hub import HubProcess
from tests.whole.wholework import share_keys

_PREFIXES: Final = itertools.count(1)
LOG: Final = "log"
MAILBOX: Final = f"mailbox/{AGENCY}"
"""The relay's lanes, as its cursors name them."""


@dataclass
class ClusterHub:
    """`postgres` are the database server's processes; `prefix` of the topics now."""

    folder: Path
    url: str
    node: kafka.Node
    postgres: tuple[int, ...]
    prefix: str
    on_kafka: bool
    started: list[HubProcess] = field(default_factory=list)
    member: Member = field(init=False)

    def process(self, roles: str) -> HubProcess:
        """Not started; with the topics' prefix as it is now."""
        env = {
            "SIMPUL_DATABASE_URL": self.url,
            "SIMPUL_KAFKA_BOOTSTRAP": self.node.bootstrap,
            "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": self.node.agency_bootstrap,
            "SIMPUL_KAFKA_TOPIC_PREFIX": self.prefix,
            "SIMPUL_PUBLIC_URL": kafka.ISSUER,
        }
        return HubProcess(self.folder, env, roles=roles)

    @contextmanager
    def running(self, roles: str, *, wait: bool = True) -> Iterator[HubProcess]:
        """A process with these roles, killed if it does not end by itself."""
        process = self.process(roles)
        self.started.append(process)
        process.start(wait=wait)
        try:
            yield process
        finally:
            self.started.remove(process)
            process.stop()

    def contender(self, process: HubProcess, name: str = "hub") -> Contender:
        pids = [process.pid, *self.postgres]
        return Contender(name, process.port, pids, None, Api(process.port, self.member))

    def new_topics(self) -> str:
        """Empty ones under a new prefix, and nothing relayed yet: the prefix."""
        self.prefix = new_prefix()
        self.process("api").desk("topics", "apply")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("DELETE FROM relay_cursors")
        return self.prefix

    def drop_topics(self, *prefixes: str) -> None:
        """Gigabytes that nobody reads any more."""
        if not prefixes:
            return
        admin = KafkaAdminClient(bootstrap_servers=self.node.bootstrap)
        try:
            admin.delete_topics([name for name in admin.list_topics() if name.startswith(prefixes)])
        finally:
            admin.close()

    def ask(self, query: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else None


def new_prefix() -> str:
    return f"b{os.getpid()}-{next(_PREFIXES)}."


@contextmanager
def cluster_hub(folder: Path, services: Services, *, on_kafka: bool = True) -> Iterator[ClusterHub]:
    """Migrated, with its keys at the broker; `on_kafka` whether the agency chose Kafka. No process runs."""
    folder.mkdir()
    server, node = services.postgres, services.broker
    made = ClusterHub(folder, server.make(), node, server.pids, new_prefix(), on_kafka)
    desk = made.process("api")
    desk.cli("migrate")
    share_keys(node, desk.data / "jwks.json")
    more = ["--kafka"] if on_kafka else []
    made.member = desk.member(AGENCY, "Pemkab Kotim", "--kind", "regency", "--region", "62.02", *more)
    try:
        yield made
    finally:
        for process in made.started:
            process.kill()
