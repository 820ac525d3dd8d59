"""Who is started in a cluster, in which order, and ended in which groups."""

from __future__ import annotations

import secrets as random_secrets
from collections.abc import Sequence

from deploy.demo.cast import Cast
from deploy.demo.cluster import brokers, postgres
from deploy.demo.cluster.layout import BROKERS, HUB_ROLES, POSTGRES, ClusterLayout
from deploy.demo.environment import command, hub_environment
from deploy.demo.layout import HOST, LH
from deploy.demo.processes import Processes
from deploy.demo.secrets_file import Secrets


def make_passwords(secrets: Secrets) -> None:
    """Of the database and of the hub's user at the brokers; once."""
    for name in ("postgres_password", "broker_password"):
        if not secrets.get(name):
            secrets.put(name, random_secrets.token_hex(24))


class ClusterCast(Cast):
    """Starts the processes of one cluster. `prepare` of brokers and PostgreSQL comes before."""

    def __init__(self, layout: ClusterLayout, secrets: Secrets, processes: Processes) -> None:
        super().__init__(layout, secrets, processes)
        self._cluster = layout

    def database(self) -> None:
        self._processes.begin(POSTGRES, postgres.order(self._cluster))

    def brokers(self) -> None:
        for name in BROKERS:
            self._processes.begin(name, brokers.order(self._cluster, name))

    def hub(self) -> None:
        """One process a role, two for the API, all with the same settings but for their own port."""
        settings = hub_environment(self._layout)
        for name, role in HUB_ROLES.items():
            listen = {"SIMPUL_LISTEN": f"{HOST}:{self._cluster.hub_ports[name]}"}
            self._processes.start(name, [*command("simpul"), "serve", "--roles", role], settings | listen)

    def everyone(self) -> None:
        super().everyone()
        self._program("kemen-lh", "ministry_lh")
        self._connector("kemen-lh", "connector-lh", SURAT_DATABASE_URL=self.office_url(LH.id))

    def more_blanks(self) -> dict[str, str]:
        return {"agency_brokers": self._cluster.addresses("AGENCIES")}


def groups(names: Sequence[str]) -> list[tuple[list[str], float]]:
    """(names, seconds to end in) in the order of ending: whoever uses something ends before it. The leader
    of Kafka's quorum waits five seconds for a successor, whatever it is told."""
    parts = (POSTGRES, *BROKERS, *HUB_ROLES)
    agencies = [name for name in names if name not in parts]
    return [(agencies, 4.0), (list(HUB_ROLES), 5.0), (list(BROKERS), 7.5), ([POSTGRES], 3.0)]
