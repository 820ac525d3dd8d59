"""An agency is deactivated: its own connector says that, and whose case lies with nobody hears of it."""

from __future__ import annotations

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

STRANDED = "the hub took the forwarding back: its agency is deactivated; a person must forward the case anew"


def test_a_case_whose_agency_was_deactivated_is_named_and_listed(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: len(office.legs()) == 2, "both are forwarded")
    assert "waits for a person" not in connector.run("check").stdout
    office.answer_all()
    sqlite.reports(1)
    eventually(lambda: len(office.legs()) == 3, "the third is forwarded")
    office.hub.desk("agency", "deactivate", office.ministry.agency)
    eventually(lambda: STRANDED in connector.events(), "it says so")
    (line,) = [line for line in connector.logged() if line["event"] == STRANDED]
    assert (line["reference"], line["agency"]) == ("3", office.ministry.agency)
    eventually(office.settled, "every event took effect")
    checked = connector.run("check").stdout
    listed = "1 case waits for a person, verified and with nobody since the forwarding ended: 3;"
    assert listed in checked


def test_without_write_back_it_is_named_too(sqlite: App, office: Office, connector: ConnectorProcess) -> None:
    sqlite.reports(1)
    extra = write_back(office.ministry).partition("[write_back.answer]")[0]
    sql_config(sqlite, office, connector, extra)
    connector.start()
    eventually(lambda: len(office.legs()) == 1, "it is forwarded")
    office.hub.desk("agency", "deactivate", office.ministry.agency)
    eventually(lambda: STRANDED in connector.events(), "it says so")


def test_the_connector_of_a_deactivated_agency_says_so(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    connector.start()
    sqlite.reports(1)
    eventually(office.complaints, "it works")
    office.hub.desk("agency", "deactivate", office.source.agency)
    eventually(lambda: any("the hub refuses" in event for event in connector.events()), "it says so")
    (line,) = [line for line in connector.logged() if "the hub refuses" in line["event"]]
    assert f"the agency {office.source.agency} was deactivated, or this client was revoked" in line["event"]
    assert "ask the hub's administrator" in line["event"]
    assert "check SIMPUL_CLIENT_ID" not in line["event"]
    said = connector.run("check").stdout
    assert f"or the agency {office.source.agency} is deactivated" in said


def test_check_with_a_foreign_client_does_not_deny_what_it_read(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(1)
    sql_config(sqlite, office, connector)
    connector.sign_in_as(office.ministry)
    said = connector.run("check").stdout
    assert "1 can be sent" in said
    assert "nothing was read" not in said
    assert "nothing was sent" in said
