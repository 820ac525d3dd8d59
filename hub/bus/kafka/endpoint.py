"""Where the broker is and how one signs in there: from settings to the client library's options."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.errors import SettingsError


@dataclass(frozen=True, slots=True)
class BrokerListener:
    """A listener of the cluster. `bootstrap` are host:port pairs with commas; `mechanism` is PLAIN,
    SCRAM-SHA-256 or SCRAM-SHA-512 and counts only with a user; `ca_file` None trusts the system's
    authorities. `names`: how the names of the settings begin that it was made from, for messages."""

    bootstrap: str
    tls: bool = False
    ca_file: Path | None = None
    mechanism: str = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    names: str = "SIMPUL_KAFKA"

    def addresses(self) -> list[tuple[str, int]]:
        pairs = (address.rpartition(":") for address in self.bootstrap.split(","))
        return [(host.strip().strip("[]"), int(port)) for host, _, port in pairs]

    def refuse_if_open(self) -> None:
        """SettingsError for the hub's own listener beyond this machine without TLS and without a user:
        whoever reaches such a listener may do everything."""
        if self.tls or self.username or all(_is_loopback(host) for host, _ in self.addresses()):
            return
        raise SettingsError(
            f"SIMPUL_KAFKA_BOOTSTRAP: {self.bootstrap} is not on this machine, so a plain listener there is "
            "open to the network. Set SIMPUL_KAFKA_TLS, or SIMPUL_KAFKA_USERNAME and SIMPUL_KAFKA_PASSWORD."
        )

    def tls_context(self) -> ssl.SSLContext | None:
        """SettingsError when the file of authorities cannot be read."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"SIMPUL_KAFKA_CA_FILE: {self.ca_file} holds no certificates ({error})."
            ) from error

    def options(self) -> Mapping[str, Any]:
        """The client library's options."""
        signed_in = {
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password or "",
        }
        return {
            "bootstrap_servers": [address.strip() for address in self.bootstrap.split(",")],
            "security_protocol": ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT"),
            "ssl_context": self.tls_context(),
            **(signed_in if self.username else {}),
        }


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
