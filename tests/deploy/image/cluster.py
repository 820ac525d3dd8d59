"""What `make image-test` starts: a hub alone on SQLite; a hub of several processes on PostgreSQL; the same
with Kafka. Passwords are made for the run."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.image.containers import Containers
from tests.deploy.image.images import ROOT
from tests.parts.local_server import free_port

DATA, KEYS = "/var/lib/simpul/data", "/var/lib/simpul/keys"
HEALTH = (
    "--health-interval",
    "1s",
    "--health-timeout",
    "3s",
    "--health-retries",
    "90",
    "--health-start-period",
    "0s",
)
ROLES_WITHOUT_KAFKA = ("delivery", "clock")
ROLES_OF_KAFKA = ("relay", "inbound")


@dataclass
class Cluster:
    """One hub. `hub`, `postgres`, `kafka`: image names; without `postgres` it is SQLite in one process."""

    containers: Containers
    hub: str
    postgres: str | None = None
    kafka: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    broker: str | None = None
    broker_password: str = field(default_factory=lambda: secrets.token_hex(16))

    def start(self) -> float:
        """Seconds until everything is healthy."""
        api = free_port()
        self.environment["SIMPUL_PUBLIC_URL"] = f"http://127.0.0.1:{api}"
        if self.postgres is None:
            self._serve("hub", port=api)
            return self.containers.await_health("hub")
        took = self._start_postgres(self.postgres)
        if self.kafka:
            self._name_broker()
        self._once("migrate", "migrate")
        self._serve("api-1", "--roles", "api", port=api)
        took += self.containers.await_health(
            "api-1"
        )  # the broker reads the keys that a running hub publishes
        if self.kafka:
            took += self._start_kafka(self.kafka)
            self._once("topics", "topics", "apply")
        self._serve("api-2", "--roles", "api")
        roles = ROLES_WITHOUT_KAFKA + (ROLES_OF_KAFKA if self.kafka else ())
        for role in roles:
            self._serve(role, "--roles", role)
        return took + self.containers.await_health("api-2", *roles)

    @property
    def processes(self) -> list[str]:
        return list(self.ports)

    @property
    def apis(self) -> list[str]:
        """Addresses of every process that answers /v1."""
        names = [name for name in self.ports if name in ("hub", "api-1", "api-2")]
        return [f"http://127.0.0.1:{self.ports[name]}" for name in names]

    def command(self, *words: str) -> Mapping[str, str]:
        """`simpul …` inside a running container; the JSON object that it prints."""
        printed = self.containers.execute(self.processes[0], "simpul", *words)
        document: Mapping[str, str] = json.loads(printed)
        return document

    def _volumes(self) -> dict[str, str]:
        return {self.containers.volume("data"): DATA, self.containers.volume("keys"): KEYS}

    def _once(self, name: str, *command: str) -> str:
        return self.containers.once(name, self.hub, command, self.environment, self._volumes())

    def _serve(self, name: str, *options: str, port: int | None = None) -> None:
        port = self.ports[name] = port or free_port()
        environment = self.environment | {"SIMPUL_LISTEN": f"127.0.0.1:{port}"}
        self.containers.start(name, self.hub, ("serve", *options), environment, self._volumes(), HEALTH)

    def _start_postgres(self, image: str) -> float:
        port, password = free_port(), secrets.token_hex(16)
        self.environment |= {
            "SIMPUL_DATABASE_URL": f"postgresql://simpul@127.0.0.1:{port}/simpul",
            "PGPASSWORD": password,
        }
        settings = {
            "POSTGRES_USER": "simpul", "POSTGRES_DB": "simpul",
            "POSTGRES_PASSWORD": password, "PGPORT": str(port),
            "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256 --encoding=UTF8 --data-checksums",
        }  # fmt: skip
        probe = ("--health-cmd", f"pg_isready -q -h 127.0.0.1 -p {port} -U simpul -d simpul")
        volume = {self.containers.volume("postgres"): "/var/lib/postgresql/data"}
        self.containers.start(
            "postgres", image, ("postgres",), settings, volume, (*HEALTH, *probe, "--shm-size", "256m")
        )
        return self.containers.await_health("postgres")

    def _name_broker(self) -> None:
        self.ports_of_broker = {name: free_port() for name in ("hub", "agencies", "controller")}
        self.broker = f"127.0.0.1:{self.ports_of_broker['hub']}"
        self.environment |= {
            "SIMPUL_KAFKA_BOOTSTRAP": self.broker,
            "SIMPUL_KAFKA_AGENCY_BOOTSTRAP": f"127.0.0.1:{self.ports_of_broker['agencies']}",
            "SIMPUL_KAFKA_USERNAME": "hub",
            "SIMPUL_KAFKA_PASSWORD": self.broker_password,
            "SIMPUL_KAFKA_SASL_MECHANISM": "PLAIN",
        }

    def _start_kafka(self, image: str) -> float:
        ports = self.ports_of_broker
        settings = {
            "BROKER_HUB_PASSWORD": self.broker_password,
            "BROKER_AGENCY_ADDRESS": f"127.0.0.1:{ports['agencies']}",
            "BROKER_TOKEN_ISSUER": self.environment["SIMPUL_PUBLIC_URL"],
            "KAFKA_HEAP_OPTS": "-Xms128m -Xmx256m",
            "KAFKA_OPTS": f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://{DATA}/jwks.json",
        }
        volumes = {
            self.containers.volume("kafka"): "/var/lib/kafka/data",
            str(self._broker_settings(ports)): "/mnt/shared/config/server.properties:ro",
            self.containers.volume("data"): f"{DATA}:ro",
        }
        probe = ("--health-cmd", f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{ports['hub']}'")
        self.containers.start("kafka", image, (), settings, volumes, (*HEALTH, *probe))
        return self.containers.await_health("kafka")

    def _broker_settings(self, ports: Mapping[str, int]) -> Path:
        """What is shipped, with this run's ports of loopback in the place of the containers' names."""
        text = (ROOT / "deploy" / "kafka" / "server.properties").read_text("utf-8")
        for shipped, here in (
            ("HUB://:9092", f"HUB://127.0.0.1:{ports['hub']}"),
            ("AGENCIES://:9093", f"AGENCIES://127.0.0.1:{ports['agencies']}"),
            ("localhost:9094", f"127.0.0.1:{ports['controller']}"),
            ("kafka:9092", f"127.0.0.1:{ports['hub']}"),
        ):
            if shipped not in text:
                raise ValueError(f"server.properties does not hold {shipped}")
            text = text.replace(shipped, here)
        file = self.containers.folder / "server.properties"
        file.write_text(text, "utf-8")
        file.chmod(0o644)
        return file
