"""Which processes and ports a cluster has, and who takes part in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from deploy.demo.layout import AGENCIES, CLIENTS, HOST, LH, PU, SOSIAL, Agency, Layout
from deploy.demo.secrets_file import Secrets

HUB_ROLES = {
    "api-1": "api",
    "api-2": "api",
    "relay": "relay",
    "inbound": "inbound",
    "delivery": "delivery",
    "clock": "clock",
}
"""Name of a hub process -> its role; each also answers /readyz and /metrics on a port of its own."""
BROKERS = ("broker-1", "broker-2", "broker-3")
POSTGRES = "postgres"
TOPIC_PREFIX = "simpul."


@dataclass(frozen=True)
class ClusterLayout(Layout):
    """One run: 19 ports in a row from `port` on, all on loopback."""

    target: ClassVar[str] = "make run-cluster"
    row_of_ports: ClassVar[int] = 19
    agencies: ClassVar[tuple[Agency, ...]] = (*AGENCIES, LH)
    clients: ClassVar[dict[str, Agency]] = CLIENTS | {"connector-lh": LH}
    offices: ClassVar[tuple[Agency, ...]] = (PU, SOSIAL, LH)
    brokers: ClassVar[int] = len(BROKERS)
    waste_to: ClassVar[tuple[str, ...]] = (LH.id,)

    @property
    def hub_ports(self) -> dict[str, int]:
        """Name of a hub process -> its port. The three after api-1 belong to a ministry, as in `make run`."""
        others = [name for name in HUB_ROLES if name != "api-1"]
        return {"api-1": self.port} | {name: self.port + 4 + at for at, name in enumerate(others)}

    @property
    def postgres_port(self) -> int:
        return self.port + 9

    def broker_ports(self, listener: str) -> list[int]:
        """Of all brokers, for their listener HUB, AGENCIES or CONTROLLER."""
        first = self.port + 10 + 3 * ("HUB", "AGENCIES", "CONTROLLER").index(listener)
        return [first + number for number in range(self.brokers)]

    def addresses(self, listener: str) -> str:
        return ",".join(f"{HOST}:{port}" for port in self.broker_ports(listener))

    @property
    def ports(self) -> dict[int, str]:
        named = {port: f"the hub's process {name}" for name, port in self.hub_ports.items()}
        named[self.postgres_port] = "PostgreSQL"
        for listener in ("HUB", "AGENCIES", "CONTROLLER"):
            for broker, port in zip(BROKERS, self.broker_ports(listener), strict=True):
                named[port] = f"{broker}'s listener {listener}"
        return super().ports | named

    @property
    def hub_urls(self) -> tuple[str, ...]:
        apis = [name for name, role in HUB_ROLES.items() if role == "api"]
        return tuple(f"http://{HOST}:{self.hub_ports[name]}" for name in apis)

    def url_for(self, connector: str) -> str:
        """Half of the connectors each. One whose process is away tries again until it is back."""
        return self.hub_urls[0 if connector in ("lapor-kotim", SOSIAL.id) else 1]

    @property
    def hub_settings(self) -> dict[str, str]:
        """The same for every process and command, so that one of them proves what all have."""
        secrets = Secrets(self.secrets)
        return {
            "SIMPUL_DATABASE_URL": f"postgresql://postgres@{HOST}:{self.postgres_port}/simpul",
            "PGPASSWORD": str(secrets.get("postgres_password")),
            "SIMPUL_KAFKA_BOOTSTRAP": self.addresses("HUB"),
            "SIMPUL_KAFKA_USERNAME": "hub",
            "SIMPUL_KAFKA_PASSWORD": str(secrets.get("broker_password")),
            "SIMPUL_KAFKA_SASL_MECHANISM": "PLAIN",
            "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": self.addresses("AGENCIES"),
            "SIMPUL_KAFKA_TOPIC_PREFIX": TOPIC_PREFIX,
        }

    @property
    def jwks(self) -> Path:
        """The hub keeps it equal to its public keys; the brokers read it."""
        return self.hub_data / "jwks.json"

    def broker_folder(self, name: str) -> Path:
        return self.folder / name

    def make_folders(self) -> None:
        super().make_folders()
        # PostgreSQL refuses root: where we are root, its own user has to get through to its folder.
        self.folder.chmod(0o711)
