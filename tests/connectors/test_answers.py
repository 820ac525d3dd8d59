"""What comes back into the app: the case's answer, in the lead's words, once each time it is answered."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.caller import Caller

LEAD, SUPPORT = "Jalan sudah ditambal kemarin sore.", "Rambu peringatan sudah kami pasang."
WRITTEN = "SELECT id_pengaduan, tanggapan FROM tanggapan ORDER BY id_tanggapan"


@pytest.fixture
def support(office: Office) -> Caller:
    """A second agency, which only assists."""
    return office.hub.agency(f"dinas-{office.source.agency}", "agency")


@pytest.mark.parametrize("lead_first", [True, False], ids=["lead first", "support first"])
def test_a_case_with_a_supporting_agency_becomes_one_row_with_the_leads_words(
    sqlite: App, office: Office, support: Caller, connector: ConnectorProcess, lead_first: bool
) -> None:
    sqlite.report("Jalan berlubang di depan pasar.")
    sql_config(sqlite, office, connector, write_back(office.ministry, support))
    connector.start()
    legs = eventually(lambda: {leg["role"]: leg for _, leg in office.legs()}, "both have it")
    order = [("lead", office.ministry, LEAD), ("support", support, SUPPORT)]
    for number, (role, agency, words) in enumerate(order if lead_first else reversed(order)):
        office.answer(legs[role], words, agency)
        if number == 0:  # one of two has answered: the app hears that they work on it, and nothing else
            eventually(lambda: _status(sqlite) == "proses", "the status is in the app")
            assert sqlite.run(WRITTEN) == []
    eventually(lambda: _status(sqlite) == "selesai", "the case is answered")
    eventually(office.settled, "every event took effect")
    assert sqlite.run(WRITTEN) == [(1, LEAD)]


@pytest.mark.parametrize("second", ["Kabelnya juga sudah diganti.", "Lampu sudah diganti."])
def test_a_case_that_is_reopened_and_answered_again_becomes_a_second_row(
    sqlite: App, office: Office, connector: ConnectorProcess, second: str
) -> None:
    sqlite.report("Lampu jalan mati di Gang Meranti.")
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    ((_, leg),) = eventually(office.legs, "the ministry has it")
    office.answer(leg, "Lampu sudah diganti.")
    eventually(lambda: _status(sqlite) == "selesai", "the first answer is in the app")
    path = f"/v1/cases/{leg['case_id']}/reopening"
    assert office.source.call("POST", path, {"reason": "Masih gelap."})[0] == 200
    eventually(lambda: _status(sqlite) == "proses", "it is open again")
    again = {"text": second}
    assert office.ministry.call("POST", f"/v1/forwardings/{leg['id']}/answer", again)[0] == 200
    eventually(lambda: len(sqlite.run(WRITTEN)) == 2, "the second answer is in the app")
    assert sqlite.run(WRITTEN) == [(1, "Lampu sudah diganti."), (1, second)]


def _status(app: App) -> str:
    return str(app.run("SELECT status FROM pengaduan")[0][0])
