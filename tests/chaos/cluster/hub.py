"""The hub under test: two processes with the API and one for each other role, over PostgreSQL and Kafka."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.cluster.brokers import Brokers
from tests.chaos.cluster.database import Database
from tests.chaos.cluster.watch import Watch
from tests.parts import kafka
from tests.parts.caller import Member
from tests.parts.fault_clock import FaultClock
from tests.parts.hub import HubProcess
from tests.whole.wholework import share_keys

ROLES: Final = ("relay", "delivery", "inbound", "clock")
LEASED: Final = ("relay", "delivery", "clock")
APIS: Final = 2
WEBHOOK_TIMEOUT_S: Final = 2


@dataclass
class Cluster:
    """`processes`: by name, `api-1`, `api-2` and the roles."""

    folder: Path
    database: Database
    brokers: Brokers
    prefix: str
    env: dict[str, str]
    processes: dict[str, HubProcess]
    clock: FaultClock | None = None
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.env["SIMPUL_DATABASE_URL"], self.urls)

    @property
    def apis(self) -> list[HubProcess]:
        return [hub for name, hub in self.processes.items() if name.startswith("api")]

    @property
    def desk(self) -> HubProcess:
        """Where commands are run."""
        return self.apis[0]

    @property
    def bootstrap(self) -> str:
        return self.env["SIMPUL_KAFKA_BOOTSTRAP"]

    def urls(self) -> dict[str, str]:
        return {name: hub.url for name, hub in list(self.processes.items())}

    def member(self, agency: str, name: str, *more: str) -> Member:
        return self.desk.member(agency, name, *more)

    def start(self) -> None:
        for hub in self.processes.values():
            hub.start(wait=False)
        for hub in self.processes.values():
            hub.wait_until_ready()

    def end(self) -> None:
        for hub in self.processes.values():
            if hub.process is not None:
                hub.process.send_signal(signal.SIGCONT)
            hub.kill()

    def kill(self, name: str) -> float:
        """kill -9, started again at once, as systemd does; when that was."""
        at = time.monotonic()
        self.processes[name].kill()
        self.processes[name].start(wait=False)
        return at

    def pause(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)

    def understudy(self, name: str) -> HubProcess:
        """One more process of the same role; ready."""
        return HubProcess(self.folder, dict(self.env), roles=self.processes[name].roles).start()

    def _signal(self, name: str, number: signal.Signals) -> None:
        process = self.processes[name].process
        assert process is not None, f"{name} does not run"
        process.send_signal(number)


@contextmanager
def cluster(
    folder: Path, database: Database, brokers: Brokers, prefix: str, clock: FaultClock | None = None
) -> Iterator[Cluster]:
    """Migrated, with its keys at the brokers; not started. Its processes live by `clock` if one is given."""
    env = {
        "SIMPUL_DATABASE_URL": database.make(),
        "SIMPUL_KAFKA_BOOTSTRAP": brokers.bootstrap,
        "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": brokers.agency_bootstrap,
        "SIMPUL_KAFKA_TOPIC_PREFIX": prefix,
        "SIMPUL_PUBLIC_URL": kafka.ISSUER,
        "SIMPUL_WEBHOOK_TIMEOUT_S": str(WEBHOOK_TIMEOUT_S),
        **(clock.env if clock else {}),
    }
    folder.mkdir()
    roles = {f"api-{number}": "api" for number in range(1, APIS + 1)} | {role: role for role in ROLES}
    made = Cluster(
        folder,
        database,
        brokers,
        prefix,
        env,
        {name: HubProcess(folder, dict(env), roles=role) for name, role in roles.items()},
        clock,
    )
    made.desk.cli("migrate")
    for node in brokers.nodes:
        share_keys(node, made.desk.data / "jwks.json")
    try:
        yield made
    finally:
        made.end()
