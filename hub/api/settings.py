"""What the API needs to know about where it runs."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

MIB: Final = 1024 * 1024
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`public_url` has no slash at its end. `topic_prefix` is what the names of the hub's topics begin with.
    `trusted_proxies`: only from them are X-Forwarded-For and X-Forwarded-Proto believed. Sizes in bytes.
    `rate_limit_per_client_per_s` None: no limit."""

    public_url: str
    topic_prefix: str = "simpul."
    trusted_proxies: tuple[Network, ...] = ()
    max_body_bytes: int = MIB
    max_line_bytes: int = MIB
    tls_in_front: bool = False
    rate_limit_per_client_per_s: float | None = None
    access_log: bool = True
    probes_only: bool = False
    """A process without the role api: it answers health, readiness and metrics, and nothing else."""
    stream_write_timeout_s: float = 30.0
    bulk_wait_s: float = 30.0
    """How long a batch waits for room in a full queue before its lines are answered 503."""
