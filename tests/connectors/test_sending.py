"""Complaints to the hub: final answers end one complaint's way, pauses end none, lost answers double none."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.faulty_proxy import Fault, FaultyProxy
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually

ONE, MANY = 5, 60
SINGLY, BATCH = "POST /v1/complaints", "POST /v1/complaints/batch"
by_one_and_by_batch = pytest.mark.parametrize("rows", [ONE, MANY], ids=["one by one", "as a batch"])


def test_a_refused_row_blocks_no_other_and_is_listed(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("")
    sqlite.report("Lampu jalan mati.", day="2999-01-01")
    sqlite.report("Air keruh sejak seminggu.")
    sql_config(sqlite, office, connector)
    connector.start()
    eventually(lambda: office.complaints(), "the third row arrives")
    assert list(office.complaints()) == ["3"]
    shown = connector.run("check").stdout
    assert "1 (refused): /title:" in shown
    assert "2 (refused): /submitted_at:" in shown


@by_one_and_by_batch
def test_a_conflict_and_an_erasure_end_one_complaint_each(
    sqlite: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess, rows: int
) -> None:
    sqlite.reports(rows)
    office.submit("1")
    office.destroy_key(office.submit("2")["id"])
    sql_config(sqlite, office, connector)
    connector.start()
    eventually(lambda: len(office.complaints()) == rows, "the others arrive")
    eventually(lambda: "it is not sent again" in connector.log.read_text(), "the erasure is noted")
    shown = connector.run("check").stdout
    assert "1 (refused): 409" in shown
    assert "2 (erased):" in shown
    connector.restart()
    sqlite.reports(1)
    eventually(lambda: len(office.complaints()) == rows + 1, "the next row arrives after a restart")
    assert proxy.count(SINGLY if rows == ONE else BATCH, b'"reference":"2"') == 1


@by_one_and_by_batch
def test_whatever_stands_between_everything_arrives_once(
    sqlite: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess, rows: int
) -> None:
    sqlite.reports(rows)
    path = "/v1/complaints"
    proxy.faults = [Fault("/oauth/token", 502), Fault(path, 503), Fault(path, 429, retry_after="1")]
    proxy.faults += [Fault(path, cut=True), Fault(path, delay_s=1.5)]
    sql_config(sqlite, office, connector, hub="timeout_s = 1\nbatch_limit = 40")
    connector.start()
    eventually(lambda: len(office.complaints()) == rows and not proxy.faults, "all arrive")
    sqlite.reports(1)
    eventually(lambda: len(office.complaints()) == rows + 1, "and what comes later")
    assert sorted(office.accepted(), key=int) == [str(number) for number in range(1, rows + 2)]
    after_429 = min(at_s for at_s, line, _ in proxy.passed if line.startswith(SINGLY))
    assert after_429 - proxy.refused_at[-1] >= 1.0


def test_a_client_that_may_not_submit_loses_nothing(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    sql_config(sqlite, office, connector)
    connector.sign_in_as(office.hub.caller(office.hub.client(office.source.agency, "--scope", "cases:read")))
    connector.start()
    eventually(lambda: "sending cannot go on" in connector.log.read_text(), "it says so")
    connector.kill()
    assert office.complaints() == {}
    connector.sign_in_as(office.source)
    connector.start()
    eventually(lambda: len(office.complaints()) == 2, "with the right client everything arrives")


def test_a_revoked_client_is_named_and_another_one_goes_on(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(1)
    sql_config(sqlite, office, connector)
    connector.start()
    eventually(lambda: len(office.complaints()) == 1, "the first arrives")
    following = office.hub.caller(office.hub.client(office.source.agency))
    office.hub.desk("client", "revoke", office.source.client_id)
    sqlite.reports(1)
    eventually(lambda: "the hub refuses this client" in connector.log.read_text(), "it says so")
    connector.kill()
    office.source = following
    connector.sign_in_as(following)
    connector.start()
    eventually(lambda: len(office.complaints()) == 2, "with a new client it goes on")
