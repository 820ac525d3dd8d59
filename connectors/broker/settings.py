"""[kafka]: the broker where the hub keeps this agency's own two topics."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from connectors.config import Hub
from connectors.errors import ConfigRefused
from connectors.options import option


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """One signs in there with the token that the hub gives; there is no password of its own."""

    bootstrap: str = option(reason="the broker's address for agencies, host:port, several with commas")
    tls: bool = option(True, reason="false sends the client's token in clear: only within one machine")
    ca_file: str = option("", reason="a PEM file of authorities to trust, instead of the system's")
    topic_prefix: str = option("simpul.", reason="how the names of the hub's topics begin")
    reply_within_s: float = option(
        30.0, reason="a record without a reply is sent again after so long", minimum=1, maximum=600
    )

    def own_topic(self, agency: str) -> str:
        """Where the agency receives."""
        return f"{self.topic_prefix}agency.{agency}"

    def inbound_topic(self, agency: str) -> str:
        """Where the agency submits."""
        return f"{self.topic_prefix}inbound.{agency}"

    def addresses(self) -> list[tuple[str, int]]:
        """(host, port) of each; ValueError for what is none."""
        pairs = [address.strip().rpartition(":") for address in self.bootstrap.split(",")]
        if not all(host and port.isdigit() for host, _, port in pairs):
            raise ValueError(self.bootstrap)
        return [(host.strip("[]"), int(port)) for host, _, port in pairs]

    def tls_context(self) -> ssl.SSLContext | None:
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            problem = f"{self.ca_file} holds no certificates that can be read"
            raise ConfigRefused("kafka.ca_file", problem, "name a PEM file of authorities") from error


def check_kafka(kafka: Kafka | None, hub: Hub) -> None:
    """What one key alone cannot show; for every kind."""
    if kafka is None:
        if hub.submit == "kafka":
            remedy = "add [kafka] with bootstrap (kinds kafka and sql have it), or submit by http"
            raise ConfigRefused("hub.submit", 'is "kafka", but there is no [kafka]', remedy)
        return
    try:
        kafka.addresses()
    except ValueError as error:
        remedy = "write host:port, several with commas, such as kafka.simpul.example.go.id:9094"
        raise ConfigRefused("kafka.bootstrap", f"is {kafka.bootstrap!r}", remedy) from error
    kafka.tls_context()
