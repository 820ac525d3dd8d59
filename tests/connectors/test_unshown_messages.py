"""An agency writes to the reporter, and the configuration does not say how the app shows it."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.connectors.test_thread_messages import (
    CHANGED,
    SHOWN,
    TABLE,
    cases_of,
    change,
    open_thread,
    post,
    rows,
)

UNSHOWN = "a message to the reporter is not shown: the configuration does not say how"


@pytest.mark.parametrize("written_back", [True, False])
def test_it_is_said_once_counted_and_shown_when_somebody_says_how(
    written_back: bool, sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.run(TABLE)
    sqlite.report("Lampu jalan mati di Gang Meranti.")
    back = write_back(office.ministry)
    extra = back if written_back else back.partition("[write_back.answer]")[0]
    sql_config(sqlite, office, connector, extra)
    connector.start()
    (case,) = cases_of(office, 1)
    thread = open_thread(office.ministry, case)
    post(office.ministry, thread, "Untuk instansi saja.", "agencies")
    message = post(office.ministry, thread, "Nomor tiangnya berapa?")
    taken_back = post(office.ministry, thread, "Salah kirim.")
    eventually(lambda: connector.events().count(UNSHOWN) == 2, "both are said")
    change(office.ministry, "PATCH", message, {"text": "Nomor tiang lampunya berapa?"})
    change(office.ministry, "DELETE", taken_back)
    eventually(office.settled, "nothing else waits for it")
    connector.restart()
    eventually(lambda: connector.events().count("connector started") == 2, "it starts again")
    eventually(office.settled, "every event took effect")
    said = [line for line in connector.logged() if line["event"] == UNSHOWN]
    assert len(said) == 2
    assert {line["message"] for line in said} == {message, taken_back}
    assert {(line["author"], line["reference"]) for line in said} == {(office.ministry.agency, "1")}
    assert "[write_back.message]" in said[0]["remedy"]
    assert "tiang" not in connector.log.read_text()
    checked = connector.run("check")
    assert checked.returncode == 1
    assert "WRONG  1 message to reporters waits" in checked.stdout
    assert "[write_back.message]" in checked.stdout
    assert f"{office.ministry.agency} wrote to the reporter of 1" in checked.stdout
    connector.kill()
    sql_config(sqlite, office, connector, back + SHOWN + CHANGED)
    connector.start()
    eventually(lambda: len(rows(sqlite)) == 1, "it is in the app")
    eventually(
        lambda: rows(sqlite)[0] == (1, office.ministry.agency.title(), "Nomor tiang lampunya berapa?"),
        "in its last words",
    )
    eventually(lambda: "waits" not in connector.run("check").stdout, "nothing waits any more")


def test_a_message_about_another_report_is_nothing_to_say(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    """Another system of the agency submitted it: that one shows it."""
    sql_config(sqlite, office, connector)
    connector.start()
    leg = office.forward("lain-1")
    thread = open_thread(office.ministry, str(leg["case_id"]))
    post(office.ministry, thread, "Nomor tiangnya berapa?")
    eventually(office.settled, "every event took effect")
    assert UNSHOWN not in connector.events()
