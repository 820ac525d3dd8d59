"""The app's row says where its complaint is now: the status, the agency's name, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.whereabouts import due_of, handler_of
from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.caller import Caller

DUE, OWNERS, REPORTERS = "2026-03-18T09:00:00Z", "2026-03-13T09:00:00Z", "2026-03-25T09:00:00Z"
STATUS = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"
WHERE = STATUS.replace(":status", ":status, posisi = :handler_name, tenggat = :due_at")
SHOWN = "SELECT status, posisi, tenggat FROM pengaduan"


def case(status: str, *legs: tuple[str, str, str]) -> dict[str, Any]:
    forwardings = [{"to": to, "role": role, "status": stands, "due_at": DUE} for to, role, stands in legs]
    deadlines = [{"stage": "verification", "due_at": OWNERS}, {"stage": "reply", "due_at": REPORTERS}]
    return {"status": status, "owner": "kab", "forwardings": forwardings, "deadlines": deadlines}


@pytest.mark.parametrize(
    ("now", "handler", "due"),
    [
        (case("submitted"), "kab", OWNERS),
        (case("incomplete"), "kab", REPORTERS),
        (case("forwarded", ("pu", "lead", "sent"), ("dinas", "support", "sent")), "pu", DUE),
        (case("in_progress", ("pu", "lead", "returned"), ("kemensos", "lead", "accepted")), "kemensos", DUE),
        (case("verified", ("pu", "lead", "returned")), "kab", OWNERS),
        (case("in_progress", ("pu", "lead", "answered"), ("dinas", "support", "accepted")), "pu", None),
        (case("answered", ("pu", "lead", "answered")), "pu", None),
        (case("closed", ("pu", "lead", "answered")), None, None),
    ],
    ids=[
        "new",
        "asked back",
        "forwarded",
        "returned once",
        "with nobody",
        "one of two",
        "answered",
        "closed",
    ],
)
def test_whose_it_is_and_until_when(now: dict[str, Any], handler: str | None, due: str | None) -> None:
    assert (handler_of(now), due_of(now)) == (handler, due)


def test_the_row_follows_its_complaint_by_name_and_deadline(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    kind = {"sqlite": "TEXT", "postgres": "TIMESTAMP"}.get(app.engine, "DATETIME")
    app.run("ALTER TABLE pengaduan ADD COLUMN posisi VARCHAR(80)")
    app.run(f"ALTER TABLE pengaduan ADD COLUMN tenggat {kind}")
    app.report("Jalan Pelita berlubang di depan SDN 3 Sampit.")
    other = office.hub.agency(f"lain-{office.source.agency}", "ministry")
    back = write_back(office.ministry)
    head, status = back.split("[write_back.status]")
    sql_config(app, office, connector, f"{head}[write_back.status]{status.replace(STATUS, WHERE)}")
    connector.start()
    leg = eventually(lambda: [leg for _, leg in office.legs()], "it is forwarded")[0]
    wanted = ("proses", named(office.ministry), local(leg["due_at"]))
    eventually(lambda: shown(app) == wanted, "the row names the ministry and its deadline")
    body = {"reason": "not_ours", "suggested_agency": other.agency}
    assert office.ministry.call("POST", f"/v1/forwardings/{leg['id']}/return", body)[0] == 200
    eventually(lambda: shown(app)[:2] == ("proses", named(office.source)), "it is the owner's again")
    connector.restart()
    path = f"/v1/cases/{leg['case_id']}/forwardings"
    sent = office.source.call("POST", path, {"to": [{"agency": other.agency, "role": "lead"}]})[1]["items"][0]
    wanted = ("proses", named(other), local(sent["due_at"]))
    eventually(lambda: shown(app) == wanted, "the row names the right agency, though its status is the same")
    office.answer(sent, "Sudah ditambal.", other)
    eventually(lambda: shown(app) == ("selesai", named(other), None), "nothing is due any more")
    eventually(lambda: len(app.run("SELECT 1 FROM tanggapan")) == 1, "the answer is one row")


def named(caller: Caller) -> str:
    return str(caller.call("GET", f"/v1/agencies/{caller.agency}")[1]["name"])


def local(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo("Asia/Jakarta")).strftime("%Y-%m-%d %H:%M:%S")


def shown(app: App) -> tuple[str | None, ...]:
    return tuple(None if value is None else str(value) for value in app.run(SHOWN)[0])
