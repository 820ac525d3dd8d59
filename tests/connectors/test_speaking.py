"""What the connector says to the person beside it, at `check` and while it runs."""

from __future__ import annotations

from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually


def test_a_client_of_another_agency_is_refused_before_anything_is_read(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(1)
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.sign_in_as(office.ministry)
    said = f"agency = '{office.source.agency}', but this client belongs to '{office.ministry.agency}'"
    ran = connector.run("run")
    assert ran.returncode == 1
    assert said in ran.stderr
    checked = connector.run("check")
    assert checked.returncode == 1
    assert said in checked.stdout
    assert office.complaints() == {}


def test_check_names_agencies_that_cannot_be_forwarded_to(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(1)
    routing = f'[routing]\nverify = true\ndefault = ["kemen-hilang", "{office.ministry.agency}"]\n'
    sql_config(sqlite, office, connector, routing)
    checked = connector.run("check")
    assert checked.returncode == 1
    assert "WRONG  routing.default: no agency 'kemen-hilang' is registered" in checked.stdout
    assert f"{office.ministry.agency} is registered and active" in checked.stdout
    assert "1 thing to mend" in checked.stdout
    assert max(map(len, checked.stdout.splitlines())) < 200
    office.hub.desk("agency", "deactivate", office.ministry.agency)
    assert f"the agency '{office.ministry.agency}' is not active" in connector.run("check").stdout


def test_what_could_not_be_forwarded_gets_another_chance_by_the_mended_routing(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.reports(2)
    sql_config(sqlite, office, connector, '[routing]\nverify = true\ndefault = ["kemen-hilang"]\n')
    connector.start()
    eventually(lambda: connector.log.read_text().count("No agency 'kemen-hilang' is registered") == 2, "why")
    connector.kill()
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: len(office.legs()) == 2, "both are forwarded to the agency that is named now")
    (again,) = [line for line in connector.logged() if "are tried again" in line["event"]]
    assert (again["count"], again["cause"]) == (2, "[routing] changed")


def test_a_wrong_secret_is_not_called_an_absent_hub(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    connector.env["SIMPUL_CLIENT_SECRET"] = "salah"
    connector.start()
    eventually(lambda: any("the hub refuses" in event for event in connector.events()), "it says so")
    (line,) = [line for line in connector.logged() if "the hub refuses" in line["event"]]
    assert line["level"] == "error"
    assert office.source.client_id in line["event"]
    assert "check SIMPUL_CLIENT_ID and SIMPUL_CLIENT_SECRET" in line["event"]
    assert not any("away" in event for event in connector.events())


def test_check_names_every_missing_variable_at_once(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    connector.env = {}
    said = connector.run("check").stdout
    for variable in ("SIMPUL_CLIENT_ID", "SIMPUL_CLIENT_SECRET", "APP_URL"):
        assert said.count(f"the environment variable {variable} is not set") == 1
    assert "3 things to mend" in said


def test_run_names_every_missing_variable_in_one_line_and_leaves_nothing_behind(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    connector.env = {}
    before = set(connector.folder.iterdir())
    ended = connector.run("run")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    for variable in ("SIMPUL_CLIENT_ID", "SIMPUL_CLIENT_SECRET", "APP_URL"):
        assert f"the environment variable {variable} is not set" in line
        assert f"{variable}=..." in line
    assert {path for path in connector.folder.iterdir() if "connector.run" not in path.name} == before


def test_a_key_file_that_is_not_there_leaves_nothing_behind_either(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector, hub='private_key_file = "/tidak/ada.pem"')
    ended = connector.run("run")
    assert ended.returncode == 2
    assert "hub.private_key_file: cannot be used" in ended.stderr
    assert not list(connector.folder.glob("connector.spool*"))


def test_a_wrong_table_and_a_wrong_column_are_named_by_their_key(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    wrong = 'table = "aduan"\nkey = "id_pengaduan"\nevery_s = 0.1'
    sql_config(sqlite, office, connector, source=wrong)
    said = connector.run("check").stdout
    assert "[source] table = aduan: SQLite says: no such table: aduan" in said
    sql_config(sqlite, office, connector, title='title = { of = "isi", first = 80 }')
    connector.start()
    eventually(lambda: any("does not mend itself" in event for event in connector.events()), "it says so")
    (line,) = [line for line in connector.logged() if "reading new rows cannot go on" in line["event"]]
    assert line["cause"].startswith("[map] title = isi: SQLite says: no such column: isi; ")


def test_an_empty_column_is_named_once_by_its_own_name(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("")
    sql_config(sqlite, office, connector)
    assert "refused: isi_laporan is empty (1 row: 1)" in connector.run("check").stdout
    connector.start()
    eventually(lambda: any("row refused" in event for event in connector.events()), "it says so")
    (line,) = [line for line in connector.logged() if "row refused" in line["event"]]
    assert line["reason"].count("isi_laporan is empty") == 1
    assert "missing" not in line["reason"]


def test_a_hub_where_nothing_listens_is_said_in_words(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    office.url = "http://127.0.0.1:9"
    sql_config(sqlite, office, connector)
    said = connector.run("check").stdout
    assert "http://127.0.0.1:9 does not answer (connection refused: nothing listens there)" in said
    assert f"{sqlite.url} is reachable" in said


def test_a_healthy_run_says_what_it_does(sqlite: App, office: Office, connector: ConnectorProcess) -> None:
    sqlite.reports(1)
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: any("1 complaint sent" in event for event in connector.events()), "the first")
    eventually(lambda: len(office.legs()) == 1, "it is forwarded")
    office.answer_all()
    eventually(lambda: any("1 answer written" in event for event in connector.events()), "the first answer")
