"""A case is erased in the hub: what becomes of its report in the app, and when the receipt is posted."""

from __future__ import annotations

import pytest

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

REPORT, ANSWER = "Jalan Pelita berlubang di depan rumah Bu Aminah.", "Sudah ditambal kemarin sore."
ERASED = """
[write_back.erased]
statements = [
  "UPDATE pengaduan SET isi_laporan = '(dihapus)', foto = '' WHERE id_pengaduan = :key",
  "DELETE FROM tanggapan WHERE id_pengaduan = :key",
]
"""


def configure(app: App, office: Office, connector: ConnectorProcess, extra: str = "") -> None:
    back = write_back(office.ministry).replace(
        ' answered = "selesai" }', ' answered = "selesai", closed = "tutup" }'
    )
    sql_config(app, office, connector, back + extra)


def answered(app: App, office: Office, connector: ConnectorProcess) -> str:
    """The case of the app's one report, with its answer in the app."""
    app.report(REPORT)
    connector.start()
    (_, leg) = eventually(office.legs, "it is forwarded")[0]
    office.answer(leg, ANSWER)
    eventually(lambda: office.settled(), "every event took effect")
    assert texts(app) == (REPORT, [ANSWER])
    return str(leg["case_id"])


def texts(app: App) -> tuple[str, list[str]]:
    answers = [str(row[0]) for row in app.run("SELECT tanggapan FROM tanggapan ORDER BY id_tanggapan")]
    return str(app.run("SELECT isi_laporan FROM pengaduan")[0][0]), answers


def clean(connector: ConnectorProcess) -> bool:
    held = connector.on_disk()
    return not any(words.encode() in held for words in (REPORT, ANSWER))


def test_statements_erase_what_the_agency_says_and_then_the_receipt_is_posted(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    configure(app, office, connector, ERASED)
    case_id = answered(app, office, connector)
    office.erase(case_id)
    connector.restart()
    eventually(lambda: office.receipt(case_id, office.source), "the hub has the receipt")
    assert texts(app) == ("(dihapus)", [])
    assert app.run("SELECT status FROM pengaduan")[0][0] == "tutup"
    assert clean(connector)
    app.report("Lampu jalan mati di Gang Meranti.")
    eventually(lambda: len(office.complaints()) == 2, "the next report is sent")
    eventually(lambda: len(office.legs()) == 2, "and forwarded")
    assert len(office.accepted()) == 2, "the changed row is no new complaint"


def test_without_them_the_report_stays_until_a_person_confirms(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    configure(sqlite, office, connector)
    case_id = answered(sqlite, office, connector)
    assert "[write_back.erased] is not there" in connector.run("check").stdout
    office.erase(case_id)
    eventually(office.settled, "the erasure was taken")
    assert (texts(sqlite), clean(connector)) == ((REPORT, [ANSWER]), True)
    assert office.receipt(case_id, office.source) is None
    (told,) = [line for line in connector.logged() if "left" in line]
    assert "the app's report 1" in told["left"]
    assert f"case {case_id} was erased in the hub" in connector.run("check").stdout
    assert connector.run("receipt", case_id).returncode == 0
    assert office.receipt(case_id, office.source)


def test_a_connector_that_writes_nothing_back_acts_on_it_too(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    sqlite.report(REPORT)
    connector.start()
    (case,) = eventually(office.source.cases, "it is sent")
    office.erase(case["id"])
    eventually(lambda: any("left" in line for line in connector.logged()), "it says what is left")
    assert "1 erased" in connector.run("check").stdout
    assert office.receipt(case["id"], office.source) is None


def test_it_is_killed_while_the_database_refuses(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    configure(sqlite, office, connector, ERASED)
    case_id = answered(sqlite, office, connector)
    sqlite.run("CREATE TRIGGER t BEFORE DELETE ON tanggapan BEGIN SELECT raise(ABORT, 'no'); END")
    office.erase(case_id)
    tried = "event cannot take effect; trying again, the others go on"
    eventually(lambda: tried in connector.events(), "the statement is refused")
    for _ in range(2):
        connector.restart()
        assert clean(connector)
    assert (office.receipt(case_id, office.source), texts(sqlite)) == (None, (REPORT, [ANSWER]))
    sqlite.run("DROP TRIGGER t")
    eventually(lambda: office.receipt(case_id, office.source), "the hub has the receipt")
    assert texts(sqlite) == ("(dihapus)", [])


def test_a_statement_of_every_row_is_refused(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    every = ERASED.replace(' WHERE id_pengaduan = :key",\n]', '",\n]')
    configure(sqlite, office, connector, every)
    said = connector.run("check")
    assert said.returncode == 2
    assert "write_back.erased.statements" in said.stderr


@pytest.mark.parametrize("kind", ["UPDATE", "DELETE"])
def test_a_statement_that_picks_by_something_else_is_refused(
    sqlite: App, office: Office, connector: ConnectorProcess, kind: str
) -> None:
    head = "UPDATE pengaduan SET isi_laporan = ''" if kind == "UPDATE" else "DELETE FROM tanggapan"
    configure(sqlite, office, connector, f'[write_back.erased]\nstatements = ["{head} WHERE 1 = :reason"]\n')
    assert "of other reports" in connector.run("check").stderr
