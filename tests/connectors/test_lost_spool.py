"""Without its spool the connector offers every row again, and takes the hub's cases for its own."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually


def lose_spool(connector: ConnectorProcess) -> None:
    connector.stop()
    for path in connector.folder.glob("connector.spool*"):
        path.unlink()


@pytest.mark.parametrize("rows", [4, 40], ids=["one by one", "as a batch"])
def test_what_the_hub_has_is_adopted_also_where_only_the_connector_knew_the_time(
    sqlite: App, office: Office, connector: ConnectorProcess, rows: int
) -> None:
    sqlite.reports(rows - 1)
    sqlite.report("Lampu mati, tanpa tanggal.", day="0000-00-00")
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: len(office.legs()) == rows, "all are forwarded", within_s=90)
    lose_spool(connector)
    connector.start()
    eventually(lambda: f"{rows} sent" in connector.run("check").stdout, "all are known again", within_s=90)
    assert len(office.accepted()) == rows, "and none is new in the hub"
    assert "refused" not in connector.run("check").stdout
    assert office.answer_all() == rows
    eventually(lambda: len(sqlite.run("SELECT * FROM tanggapan")) == rows, "the answers are written")


def test_an_edited_row_is_listed_with_its_case_and_what_remains_to_do(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Air keruh sejak seminggu.")
    sqlite.report("Jembatan lapuk.", day="0000-00-00")
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: len(office.legs()) == 2, "both are forwarded")
    lose_spool(connector)
    for number in (1, 2):
        sqlite.run("UPDATE pengaduan SET isi_laporan = 'Diubah petugas.' WHERE id_pengaduan = ?", (number,))
    connector.start()
    eventually(lambda: "2 refused" in connector.run("check").stdout, "both are refused")
    said = connector.run("check").stdout
    cases = {case["complaint"]["source"]["reference"]: case["id"] for case in office.source.cases()}
    for number in ("1", "2"):
        assert f"{number} (refused): 409 the hub has this reference with other content" in said
        assert f"(case {cases[number]})" in said
    assert "there is nothing to do, and its answers come here" in said
    assert "if two apps of this agency count alike, give this one a reference_prefix" in said
    assert len(office.accepted()) == office.answer_all() == 2
    eventually(lambda: len(sqlite.run("SELECT * FROM tanggapan")) == 2, "the answers come")
