"""An agency's system whose address is wrong, or that fails at one case, before whole connectors."""

from __future__ import annotations

import pytest

from tests.connectors.agency_system import AgencySystem
from tests.connectors.office import Office, mailbox_config
from tests.connectors.processes import ConnectorProcess, eventually

MENDS_NOT = "this does not mend itself: somebody must"
NOT_IN_EFFECT = "event cannot take effect; trying again, the others go on"


@pytest.mark.parametrize("status", [301, 405])
def test_an_address_that_is_wrong_is_said_once_and_no_event_pays_for_it(
    office: Office, connector: ConnectorProcess, system: AgencySystem, status: int
) -> None:
    mailbox_config(office, connector, f'[deliver.http]\nurl = "{system.url}"')
    system.answers = [status] * 10_000
    cases = [office.forward(str(number))["case_id"] for number in range(2)]
    connector.start()
    eventually(lambda: min(map(system.asked.count, cases)) > 13, "each was tried more than twelve times")
    assert f"(pending): deliver.http.url: {system.url} answers {status}; " in connector.run("check").stdout
    said = [event for event in connector.events() if MENDS_NOT in event]
    assert len(said) == 1, connector.events()
    assert f"deliver.http.url: {system.url} answers {status}" in said[0]
    assert not any("set aside" in event for event in connector.events())
    system.answers = []
    eventually(lambda: len(system.got) == 2, "with the right address both arrive")
    eventually(lambda: office.settled(office.ministry), "and count as handed over")


@pytest.mark.parametrize("status", [404, 500])
def test_a_case_at_which_the_system_fails_holds_up_no_other(
    office: Office, connector: ConnectorProcess, system: AgencySystem, status: int
) -> None:
    mailbox_config(office, connector, f'[deliver.http]\nurl = "{system.url}"')
    first, *others = [office.forward(str(number))["case_id"] for number in range(3)]
    system.of_case = {first: status}
    connector.start()
    eventually(lambda: {event["subject"] for event in system.got} == {*others}, "the others arrive")
    eventually(lambda: system.asked.count(first) > 13, "this one is tried on")
    named = [line for line in connector.logged() if line["event"] == NOT_IN_EFFECT]
    assert [f"answers {status}" in line["reason"] for line in named] == [True]
    assert not any("set aside" in event for event in connector.events())
    system.of_case = {}
    eventually(lambda: system.types(first) == ["forwarding.sent"], "and this one, once the system can")
    eventually(lambda: office.settled(office.ministry), "and nothing is left")
