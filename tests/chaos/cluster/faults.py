"""Every fault by its name, with the number of brokers that it needs."""

from __future__ import annotations

from typing import Final

from tests.chaos.cluster.kills import kill_roles
from tests.chaos.cluster.outages import (
    database_disk_full,
    one_of_three_brokers,
    only_broker_away,
    postgres_killed,
    postgres_stopped,
)
from tests.chaos.cluster.scene import Fault
from tests.chaos.cluster.stalls import bad_subscriber, database_cut, paused

FAULTS: Final[dict[str, tuple[int, Fault]]] = {
    "kill-roles": (1, kill_roles),
    "broker-away": (1, only_broker_away),
    "postgres-stop": (1, postgres_stopped),
    "postgres-kill": (1, postgres_killed),
    "postgres-disk-full": (1, database_disk_full),
    "pause-relay": (1, paused("relay")),
    "pause-delivery": (1, paused("delivery")),
    "pause-api": (1, paused("api-1")),
    "cut-to-database": (1, database_cut("to")),
    "cut-from-database": (1, database_cut("from")),
    "subscriber-hangs": (1, bad_subscriber("hang")),
    "subscriber-fails": (1, bad_subscriber("fail")),
    "subscriber-slow": (1, bad_subscriber("slow")),
    "one-of-three": (3, one_of_three_brokers),
}
