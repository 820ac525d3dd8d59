"""A local agency and a ministry on the real hub, fresh for each test, and a configuration for them."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auth.clients import hash_secret, new_client_id, new_secret
from auth.scopes import DEFAULT_SCOPES
from hub.app_core import open_core
from hub.domain.agency import Agency
from hub.ports.clock import rfc3339
from hub.ports.registry import ClientRow
from hub.service.access import client_secret_pepper
from hub.service.requests import RegisterAgency
from hub.settings import load
from tests.connectors.apps import App
from tests.connectors.processes import ConnectorProcess
from tests.parts.caller import Caller, Member, complaint
from tests.parts.hub import ROOT, HubProcess

EXAMPLE = ROOT / "connectors" / "examples" / "pengaduan-mariadb.toml"
ANSWER = "Sudah kami tangani pada {n}."


def register(hub: HubProcess, *agencies: Agency) -> list[Caller]:
    """What `simpul agency add` and `simpul client add` do, with the hub's database opened once for all."""
    made = []
    with open_core(load(None, hub.settings())) as core:
        for agency in agencies:
            core.operate(RegisterAgency(agency))
            secret, scopes = new_secret(), tuple(sorted(DEFAULT_SCOPES))
            hashed, now = hash_secret(secret, client_secret_pepper(core.sealer)), rfc3339(core.clock.now())
            row = ClientRow(new_client_id(), agency.id, scopes, hashed, None, now)
            core.rows.add_client(row)
            made.append(hub.caller(Member(agency.id, row.id, secret)))
    return made


@dataclass
class Office:
    """`url` is where the connector finds the hub: the hub itself, or a proxy before it."""

    hub: HubProcess
    source: Caller
    ministry: Caller
    url: str

    @classmethod
    def open(cls, hub: HubProcess) -> Office:
        mark = uuid.uuid4().hex[:8]
        names = f"kab-{mark}", f"kemen-{mark}"
        regency = Agency(names[0], names[0].title(), "regency", "62.02")
        source, ministry = register(hub, regency, Agency(names[1], names[1].title(), "ministry"))
        return cls(hub, source, ministry, hub.url)

    def complaints(self) -> dict[str, Any]:
        """What arrived, by reference, oldest first."""
        cases = [case["complaint"] for case in self.source.cases()]
        return {found["source"]["reference"]: found for found in reversed(cases)}

    def accepted(self) -> list[str]:
        """References in the order in which the hub took them; one that was new twice is here twice."""
        events = [item["event"] for item in self.source.events()]
        return [
            event["data"]["complaint"]["source"]["reference"]
            for event in events
            if event["type"] == "id.simpul.complaint.submitted.v1"
        ]

    def legs(self) -> list[tuple[str, dict[str, Any]]]:
        """(reference, forwarding) of every case that has one, oldest first."""
        cases = reversed(self.source.cases())
        return [
            (case["complaint"]["source"]["reference"], leg) for case in cases for leg in case["forwardings"]
        ]

    def answer(self, leg: dict[str, Any], text: str, by: Caller | None = None) -> None:
        by = by or self.ministry
        for step, body in (("acceptance", {}), ("answer", {"text": text})):
            status, said = by.call("POST", f"/v1/forwardings/{leg['id']}/{step}", body)
            assert status == 200, said

    def answer_all(self, text: str = ANSWER) -> int:
        """Accepts and answers every forwarding that the ministry holds open; how many there were."""
        mine = [(name, leg) for name, leg in self.legs() if leg["to"] == self.ministry.agency]
        waiting = [(name, leg) for name, leg in mine if leg["status"] == "sent"]
        for name, leg in waiting:
            self.answer(leg, text.format(n=name))
        return len(waiting)

    def submit(self, reference: str) -> dict[str, Any]:
        """The case of a complaint that did not come through a connector."""
        status, case = self.source.call("POST", "/v1/complaints", complaint(self.source.agency, reference))
        assert status == 201, case
        return dict(case)

    def forward(self, reference: str) -> dict[str, Any]:
        """A complaint of the agency's, sent to the ministry: the forwarding."""
        path = f"/v1/cases/{self.submit(reference)['id']}"
        assert self.source.call("POST", f"{path}/verification", {"decision": "accept"})[0] == 200
        body = {"to": [{"agency": self.ministry.agency, "role": "lead"}]}
        status, sent = self.source.call("POST", f"{path}/forwardings", body)
        assert status == 201, sent
        return dict(sent["items"][0])

    def erase(self, case_id: str) -> None:
        body = {"reason": "Permintaan pelapor menurut UU 27/2022."}
        status, said = self.source.call("POST", f"/v1/cases/{case_id}/erasure", body)
        assert status == 200, said

    def receipt(self, case_id: str, caller: Caller) -> str | None:
        """When the agency said that its copies of an erased case are gone."""
        receipts = self.source.call("GET", f"/v1/cases/{case_id}")[1]["erasure"]["receipts"]
        return {each["agency"]: each["receipted_at"] for each in receipts}[caller.agency]

    def hand_over(self, leaving: Caller, taking: Caller) -> dict[str, Any]:
        """By whom the hub is looked after; the summary."""
        keeper = self.hub.caller(self.hub.client("hub", "--scope", "agencies:write"))
        path = f"/v1/agencies/{leaving.agency}/handover"
        status, said = keeper.call("POST", path, {"to": taking.agency, "text": "Akun pengaduan pindah."})
        assert status == 200, said
        return dict(said["summary"])

    def query(self, statement: str, *parameters: object) -> list[Any]:
        """Rows of the hub's own database, for reading only: for what no route shows."""
        address = f"file:{self.hub.data / 'simpul.db'}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(statement, parameters).fetchall()

    def settled(self, caller: Caller | None = None) -> bool:
        """Whether an agency's connector (by default the source's) has acknowledged its whole mailbox."""
        caller = caller or self.source
        statement = "SELECT cursor = head FROM mailboxes JOIN mailbox_cursors USING (agency) WHERE agency = ?"
        return self.query(statement, caller.agency) == [(1,)]

    def destroy_key(self, case_id: str) -> None:
        """What an erasure comes down to: the case's key is gone, and with it every word of it."""
        with closing(sqlite3.connect(self.hub.data / "simpul.db", timeout=10)) as database, database:
            assert database.execute("DELETE FROM stream_keys WHERE stream = ?", (case_id,)).rowcount == 1


def sql_config(
    app: App, office: Office, connector: ConnectorProcess, extra: str = "", **changes: str
) -> None:
    """The configuration that most tests use; `changes` replace whole lines by their key."""
    lines = {
        "title": 'title = { of = "isi_laporan", first = 80 }',
        "submitted_at": 'submitted_at = { column = "tgl_pengaduan", if_missing = "first_sight" }',
        "category": 'category = { value = "road" }',
        "source": 'table = "pengaduan"\nkey = "id_pengaduan"\njoin = "LEFT JOIN masyarakat ON '
        'masyarakat.nik = pengaduan.nik"\nevery_s = 0.1\nrescan_every_s = 1\nrescan_pause_s = 0.05',
        "reporter": 'reporter.name = "nama"\nreporter.phone = "telp"\n'
        'reporter.national_id = "masyarakat.nik"',
        "hub": "wait_s = 1",
    } | changes
    connector.configure(
        f"""
kind = "sql"
agency = "{office.source.agency}"
spool = "{connector.spool}"
[hub]
url = "{office.url}"
backoff_cap_s = 0.3
{lines["hub"]}
[database]
url_env = "APP_URL"
[source]
{lines["source"]}
[map]
description = "isi_laporan"
{lines["title"]}
{lines["submitted_at"]}
{lines["category"]}
{lines["reporter"]}
{extra}
""",
        office.source,
        APP_URL=app.url,
    )


def mailbox_config(
    office: Office, connector: ConnectorProcess, rest: str, agency: Caller | None = None, **env: str
) -> None:
    """Kind `mailbox`, by default of the ministry, whose own database is MINISTRY_URL."""
    agency = agency or office.ministry
    connector.configure(
        f"""
kind = "mailbox"
agency = "{agency.agency}"
spool = "{connector.spool}"
[hub]
url = "{office.url}"
wait_s = 1
backoff_cap_s = 0.3
{rest}
""",
        agency,
        MINISTRY_URL=f"sqlite:///{connector.folder / 'ministry.db'}",
        **env,
    )


def write_back(*agencies: Caller) -> str:
    """Verifying, forwarding to these agencies (the first leads), writing back into the widespread tables."""
    default = ", ".join(f'"{caller.agency}"' for caller in agencies)
    return f"""
[routing]
verify = true
default = [{default}]
[write_back.answer]
statements = [
  '''INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas)
     VALUES (:key, :answered_on, :answer, 1)''',
  "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key",
]
already_written = "SELECT 1 FROM tanggapan WHERE id_pengaduan = :key AND tanggapan = :answer"
[write_back.status]
statement = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"
values = {{ verified = "proses", forwarded = "proses", in_progress = "proses", answered = "selesai" }}
"""


def configure_example(
    connector: ConnectorProcess, hub_url: str, source: Caller, ministry: str, photos: Path, database_url: str
) -> None:
    """Only names, addresses and paths differ from the example."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in {
        "pemda-kotim": source.agency,
        "kemenpu": ministry,
        "/var/lib/simpul-connector/pengaduan.spool": str(connector.spool),
        "https://simpul.example.go.id": hub_url,
        "/var/www/pengaduan/foto": str(photos),
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    connector.configure(text, source, PENGADUAN_DATABASE_URL=database_url)
