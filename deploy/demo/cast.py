"""Who is started, in which order, and with which settings."""

from __future__ import annotations

import string
import sys
from pathlib import Path
from urllib.parse import quote

from deploy.demo.environment import clean_environment, command, hub_environment
from deploy.demo.lapor_kotim import open_app
from deploy.demo.layout import SOSIAL, Layout
from deploy.demo.office import open_office
from deploy.demo.processes import Processes
from deploy.demo.secrets_file import Secrets

TEMPLATES = Path(__file__).with_name("connectors")


class Cast:
    """Starts the processes of one run."""

    def __init__(self, layout: Layout, secrets: Secrets, processes: Processes) -> None:
        self._layout, self._secrets, self._processes = layout, secrets, processes

    def hub(self) -> None:
        self._processes.start("hub", [*command("simpul"), "serve"], hub_environment(self._layout))

    def everyone(self) -> None:
        """Both apps, both ministries, connectors, officers. The webhook must be registered before."""
        layout, token = self._layout, str(self._secrets.get("system_token"))
        open_app(layout.kotim_database).close()
        for agency in layout.offices:
            open_office(layout, agency.id).close()
        self._program("lapor-kotim", "lapor_kotim")
        pengaduan = _sqlite(layout.kotim_database)
        self._connector("lapor-kotim", "connector-kotim", PENGADUAN_DATABASE_URL=pengaduan)
        self._program("coordinator-kotim", "coordinator", "coordinator-kotim")
        self._program("kemen-pu", "ministry_pu", SISTEM_TOKEN=token)
        self._connector(
            "kemen-pu",
            "connector-pu",
            SIMPUL_WEBHOOK_SECRET=str(self._secrets.get("webhook_secret")),
            SISTEM_AUTHORIZATION=f"Bearer {token}",
            SISTEM_TOKEN=token,
        )
        self._program("kemen-sosial", "ministry_sosial")
        self._connector("kemen-sosial", "connector-sosial", SURAT_DATABASE_URL=self.office_url(SOSIAL.id))
        self._program("desks", "desks")
        self._program("suara-banua", "suara_banua", "suara-banua")

    def _program(self, name: str, module: str, client: str = "", **environment: str) -> None:
        """One of the demo's own programs."""
        layout = self._layout
        settings = {
            "SIMPUL_DEMO_DIR": str(layout.folder),
            "SIMPUL_DEMO_HOST": layout.listen_host,
            "SIMPUL_DEMO_PORT": str(layout.port),
            "SIMPUL_DEMO_FAST": "1" if layout.fast else "0",
            "SIMPUL_DEMO_CLUSTER": "1" if layout.brokers else "0",
        }
        self._processes.start(
            name,
            [sys.executable, "-m", f"deploy.demo.{module}"],
            clean_environment() | settings | self._credentials(client) | environment,
        )

    def _connector(self, name: str, client: str, **environment: str) -> None:
        """simpul-connector run, on the configuration of `connectors/NAME.toml`."""
        config = self._layout.config(name)
        config.write_text(self.configuration(name), "utf-8")
        self._processes.start(
            client,
            [*command("simpul-connector"), "run", str(config)],
            clean_environment() | self._credentials(client) | environment,
        )

    def configuration(self, name: str) -> str:
        """The template with this run's folder and ports."""
        layout = self._layout
        template = string.Template((TEMPLATES / f"{name}.toml").read_text("utf-8"))
        return template.substitute(
            folder=layout.folder,
            hub_url=layout.url_for(name),
            waste_to=", ".join(f'"{agency}"' for agency in layout.waste_to),
            **self.more_blanks(),
            webhook_url=layout.webhook_url,
            webhook_port=layout.port + 1,
            system_port=layout.port + 2,
            replies_port=layout.port + 3,
            every_s="0.2" if layout.fast else "1",
        )

    def office_url(self, agency: str) -> str:
        """Of a ministry's own database."""
        return _sqlite(self._layout.office_database(agency))

    def more_blanks(self) -> dict[str, str]:
        """What only another kind of run has to fill in."""
        return {}

    def _credentials(self, client: str) -> dict[str, str]:
        if not client:
            return {}
        client_id, client_secret = self._secrets.client(client)
        return {"SIMPUL_CLIENT_ID": client_id, "SIMPUL_CLIENT_SECRET": client_secret}


def _sqlite(path: Path) -> str:
    return f"sqlite:///{quote(str(path))}"
