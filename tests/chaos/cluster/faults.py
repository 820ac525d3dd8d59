"""Every fault by its name, with what it needs."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Final

from tests.chaos.cluster.brokers import Ground
from tests.chaos.cluster.clocks import database_clock, hub_clock
from tests.chaos.cluster.kills import kill_roles
from tests.chaos.cluster.outages import (
    broker_cut,
    broker_disk_full,
    database_disk_full,
    one_of_three_brokers,
    only_broker_away,
    postgres_killed,
    postgres_stopped,
)
from tests.chaos.cluster.scene import Fault
from tests.chaos.cluster.stalls import bad_subscriber, database_cut, paused

PLAIN: Final = Ground()
CLOCKS: Final = Ground(clocks=True)
PROXIED: Final = Ground(proxied=True)

FAULTS: Final[dict[str, tuple[Ground, Fault]]] = {
    "kill-roles": (PLAIN, kill_roles),
    "broker-away": (PLAIN, only_broker_away),
    "postgres-stop": (PLAIN, postgres_stopped),
    "postgres-kill": (PLAIN, postgres_killed),
    "postgres-disk-full": (PLAIN, database_disk_full),
    "pause-relay": (PLAIN, paused("relay")),
    "pause-delivery": (PLAIN, paused("delivery")),
    "pause-api": (PLAIN, paused("api-1")),
    "cut-to-database": (PLAIN, database_cut("to")),
    "cut-from-database": (PLAIN, database_cut("from")),
    "subscriber-hangs": (PLAIN, bad_subscriber("hang")),
    "subscriber-fails": (PLAIN, bad_subscriber("fail")),
    "subscriber-slow": (PLAIN, bad_subscriber("slow")),
    "clock-hub": (CLOCKS, hub_clock),
    "clock-database": (CLOCKS, database_clock),
    "cut-to-broker": (PROXIED, broker_cut("to")),
    "cut-from-broker": (PROXIED, broker_cut("from")),
    "broker-disk-full": (Ground(small_disk=True), broker_disk_full),
    "one-of-three": (Ground(brokers=3), one_of_three_brokers),
}


def ground_of(*names: str) -> Ground:
    """What these faults need together."""
    return reduce(or_, (FAULTS[name][0] for name in names))
