"""What an operator may set about webhook delivery; every value has its unit in its name."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

RETRY_CEILINGS_S: Final = (10.0, 60.0, 300.0, 1200.0, 3600.0, 10800.0, 21600.0, 43200.0, 86400.0)
"""Full jitter draws between 0 and the ceiling, so the mean waits are 5 s, 30 s, 2.5 min, 10 min, 30 min,
1.5 h, 3 h, 6 h and 12 h: ten attempts, on average within a day."""
OWN_FAILURE_WAIT_S: Final = 5.0
"""Before what failed in the hub itself is tried again."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """Defaults suit a hub with some hundred webhooks on two cores."""

    allowed_networks: tuple[Network, ...] = ()
    """Beyond public addresses; plain http is allowed there (SIMPUL_WEBHOOK_ALLOWED_NETWORKS)."""

    retry_ceilings_s: tuple[float, ...] = RETRY_CEILINGS_S
    """One per retry. After the last one the delivery is dead."""

    retry_after_cap_s: float = 3600.0
    """The longest that an endpoint may ask to wait (Retry-After)."""

    pause_after_failures: int = 5
    """So many subjects in a row without one success, and the endpoint counts as down."""

    probe_ceilings_s: tuple[float, ...] = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
    """Between the probes of an endpoint that is down; the last one repeats."""

    in_flight_per_agency: int = 16
    in_flight: int = 256
    window: int = 64
    """Entries of one agency that are read ahead and held in memory."""

    span: int = 10_000
    """How far deliveries may run ahead of the slowest one, in mailbox positions."""

    pending_rows: int = 1000
    """Per agency. Beyond it the agency's mailbox is not read further; nothing is lost, it waits there."""

    unsaved_rows: int = 2000
    """Results that may wait for the database before sending stops."""

    save_rows: int = 256
    save_interval_s: float = 0.25
    poll_interval_s: float = 1.0
    total_timeout_s: float = 15.0
    connect_timeout_s: float = 5.0
    resolve_timeout_s: float = 5.0
    resolve_fresh_s: float = 1.0
    """Attempts within this time share one name resolution."""

    secret_overlap_s: float = 86400.0
    """After a rotation both secrets sign for so long."""

    retention_s: float = 30 * 86400.0
    """Finished deliveries are listed for so long."""

    stop_timeout_s: float = 3.0


def ceilings_for(attempts: int) -> tuple[float, ...]:
    """The retry ceilings for so many attempts in all; beyond the default ones the last repeats."""
    retries = attempts - 1
    return (*RETRY_CEILINGS_S[:retries], *[RETRY_CEILINGS_S[-1]] * (retries - len(RETRY_CEILINGS_S)))
