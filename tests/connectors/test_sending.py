"""Complaints to the hub: its final answers end one complaint's way, its pauses end none."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.processes import SOURCE_AGENCY, ConnectorProcess, HubProcess, eventually, sql_config

CASES = "SELECT count(*) FROM cases"


def submit(hub: HubProcess, reference: str) -> None:
    document = {
        "source": {"agency": SOURCE_AGENCY, "reference": reference}, "classification": "complaint",
        "title": "Lain", "description": "Isi lain.", "category": "road", "channel": "web",
        "confidential": False, "submitted_at": "2026-02-02T00:00:00+07:00",
        "reporter": {"anonymous": False},
    }  # fmt: skip
    hub.as_agency(SOURCE_AGENCY, "POST", "/v1/complaints", document)


@pytest.mark.parametrize("rows", [5, 60], ids=["one by one", "as a batch"])
def test_a_conflict_and_an_erasure_end_one_complaint_each(
    sqlite: App, hub: HubProcess, connector: ConnectorProcess, rows: int
) -> None:
    sqlite.reports(rows)
    submit(hub, "1")
    submit(hub, "2")
    hub.control("erase", reference="2")
    hub.control("unavailable", times=2)
    sql_config(sqlite, hub, connector)
    connector.start()
    eventually(lambda: hub.count(CASES) == rows, "the others arrive")
    eventually(lambda: "it is not sent again" in connector.log.read_text(), "the erasure is noted")
    shown = connector.run("check").stdout
    assert "1 (refused): 409" in shown
    assert "2 (erased):" in shown
    connector.kill()
    connector.start()
    sqlite.reports(1)
    eventually(lambda: hub.count(CASES) == rows + 1, "the next row arrives after a restart")
    assert hub.count("SELECT count(*) FROM received WHERE reference = '2'") == 2


def test_a_client_that_may_not_submit_loses_nothing(
    sqlite: App, hub: HubProcess, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    sql_config(sqlite, hub, connector)
    connector.env["SIMPUL_CLIENT_ID"] = "kab-lain"
    connector.start()
    eventually(lambda: "sending cannot go on" in connector.log.read_text(), "it says so")
    connector.kill()
    connector.env["SIMPUL_CLIENT_ID"] = SOURCE_AGENCY
    connector.start()
    eventually(lambda: hub.count(CASES) == 2, "with the right client everything arrives")
