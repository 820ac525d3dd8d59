"""Where the demo keeps its files, which ports it needs, and who takes part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Agency:
    """One participant, as `simpul agency add` takes it."""

    id: str
    name: str
    kind: str
    region: str = ""
    time_zone: str = "Asia/Jakarta"
    kafka: bool = False


KOTIM = Agency("pemkab-kotim", "Pemerintah Kabupaten Kotawaringin Timur", "regency", "62.02")
KALSEL = Agency("pemprov-kalsel", "Pemerintah Provinsi Kalimantan Selatan", "province", "63", "Asia/Makassar")
PU = Agency("kemen-pu", "Kementerian Pekerjaan Umum", "ministry")
SOSIAL = Agency("kemen-sosial", "Kementerian Sosial", "ministry")
HST = Agency("pemkab-hst", "Pemerintah Kabupaten Hulu Sungai Tengah", "regency", "63.07", "Asia/Makassar")
HSS = Agency("pemkab-hss", "Pemerintah Kabupaten Hulu Sungai Selatan", "regency", "63.06", "Asia/Makassar")
"""Two neighbours without a system of their own: their officers work at the hub itself."""
HUB = Agency("hub", "Simpul", "hub")
"""There from the start; cases that have nobody above them come here."""
LH = Agency("kemen-lh", "Kementerian Lingkungan Hidup", "ministry", kafka=True)
"""Takes part in `make run-cluster` only: it needs a broker."""
AGENCIES = (KOTIM, KALSEL, PU, SOSIAL, HST, HSS)
CLIENTS = {
    "connector-kotim": KOTIM,
    "coordinator-kotim": KOTIM,
    "suara-banua": KALSEL,
    "connector-pu": PU,
    "connector-sosial": SOSIAL,
    "desk-hst": HST,
    "desk-hss": HSS,
    "desk-hub": HUB,
}
"""Name of a client in this demo -> its agency. Each system has a client of its own."""

APPS = {KOTIM.id: "Lapor Kotim", KALSEL.id: "Suara Banua"}
SHORT = {
    PU.id: "Kemen PU",
    SOSIAL.id: "Kemensos",
    KOTIM.id: "Kotim",
    KALSEL.id: "Kalsel",
    HST.id: "Kab. HST",
    HSS.id: "Kab. HSS",
    HUB.id: "pengelola hub",
    LH.id: "Kemen LH",
}


@dataclass(frozen=True)
class Layout:
    """One run: `folder` holds everything that it writes; four ports from `port` on; `fast` for tests."""

    folder: Path
    port: int
    listen_host: str = HOST
    fast: bool = False

    target: ClassVar[str] = "make run"
    row_of_ports: ClassVar[int] = 4
    agencies: ClassVar[tuple[Agency, ...]] = AGENCIES
    clients: ClassVar[dict[str, Agency]] = CLIENTS
    offices: ClassVar[tuple[Agency, ...]] = (PU, SOSIAL)
    brokers: ClassVar[int] = 0
    waste_to: ClassVar[tuple[str, ...]] = ()
    """Agencies that handle waste and pollution; the governments themselves where there is none."""

    @property
    def hub_urls(self) -> tuple[str, ...]:
        """Every process with the API; whoever finds one away goes to the next."""
        return (self.hub_url,)

    def url_for(self, connector: str) -> str:
        """The process with the API that a connector speaks to: it knows one address."""
        return self.hub_url

    @property
    def hub_settings(self) -> dict[str, str]:
        """What this hub is told besides its folder and addresses."""
        return {}

    @property
    def hub_url(self) -> str:
        host = HOST if self.listen_host in ("", "0.0.0.0", "::") else self.listen_host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def listen(self) -> str:
        host = f"[{self.listen_host}]" if ":" in self.listen_host else self.listen_host
        return f"{host}:{self.port}"

    @property
    def hub_data(self) -> Path:
        return self.folder / "hub"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def scenes(self) -> Path:
        """What the terminal says after `***`, of every run."""
        return self.folder / "scenes.log"

    @property
    def spools(self) -> Path:
        return self.folder / "spool"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def kotim_database(self) -> Path:
        return self.folder / "lapor-kotim" / "pengaduan.db"

    @property
    def kotim_photos(self) -> Path:
        return self.folder / "lapor-kotim" / "foto"

    @property
    def banua_database(self) -> Path:
        return self.folder / "suara-banua" / "laporan.db"

    def office_database(self, agency: str) -> Path:
        return self.folder / agency / "surat.db"

    @property
    def policies(self) -> Path:
        return self.folder / "policies.toml"

    def config(self, name: str) -> Path:
        return self.folder / "connectors" / f"{name}.toml"

    @property
    def ports(self) -> dict[int, str]:
        """Port -> what it is for."""
        return {
            self.port: "the hub",
            self.port + 1: f"the webhook of {PU.name}",
            self.port + 2: f"the case system of {PU.name}",
            self.port + 3: f"the replies of {PU.name}",
        }

    @property
    def webhook_url(self) -> str:
        return f"http://{HOST}:{self.port + 1}/hooks/simpul"

    def make_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        files = (self.kotim_database, self.banua_database, self.config("x"))
        offices = tuple(self.office_database(agency.id) for agency in self.offices)
        for folder in (self.logs, self.spools, self.kotim_photos, *(file.parent for file in files + offices)):
            folder.mkdir(parents=True, exist_ok=True)
