"""Where somebody who joins an app for the first time stumbles: each is said where it is to be mended."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from connectors.dialects import open_dialect, read_address
from connectors.dialects.mysql import listed_in
from connectors.statements import column_set_to
from tests.connectors.apps import App
from tests.connectors.conftest import ENGINES, open_app
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.parts.local_server import free_port

LISTED = "ALTER TABLE pengaduan MODIFY status ENUM('0','proses','selesai') NOT NULL DEFAULT '0'"
WRONG_WORD = '[write_back.status.values] answered = "beres"'
# the tests' server is not strict and would empty the column; a trigger keeps the mode in which it was made
STRICT = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES'; CREATE TRIGGER strict BEFORE UPDATE ON pengaduan "
    "FOR EACH ROW IF NEW.status = '' THEN SET NEW.status = 'beres'; END IF"
)
UPDATE = "UPDATE pengaduan SET status = :status WHERE id_pengaduan = :key"


@pytest.fixture(params=[pytest.param("innodb", marks=pytest.mark.mariadb)])
def listed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[App]:
    """An app whose statuses are an ENUM, as in the widespread schema."""
    with open_app(request.param, request, tmp_path) as made:
        made.run(LISTED)
        yield made


def last_line(said: str) -> str:
    return said.splitlines()[-1]


def test_a_status_that_the_column_does_not_list_is_named_with_what_it_lists(
    listed: App, office: Office, connector: ConnectorProcess
) -> None:
    listed.report("Jalan rusak.")
    sql_config(listed, office, connector, write_back(office.ministry).replace('"selesai"', '"beres"'))
    checked = connector.run("check")
    (line,) = [line for line in checked.stdout.splitlines() if "WRONG" in line]
    assert WRONG_WORD in line
    assert "pengaduan.status takes only '0', 'proses', 'selesai'" in line
    assert (checked.returncode, last_line(checked.stdout)[:15]) == (1, "1 thing to mend")
    sql_config(listed, office, connector, write_back(office.ministry))
    checked = connector.run("check")
    assert (checked.returncode, "WRONG" in checked.stdout) == (0, False)


def test_what_the_column_does_not_take_is_said_with_its_line_and_its_report(
    listed: App, office: Office, connector: ConnectorProcess
) -> None:
    listed.run(STRICT)
    listed.report("Jalan rusak.")
    sql_config(listed, office, connector, write_back(office.ministry).replace('"selesai"', '"beres"'))
    connector.start()
    eventually(lambda: office.answer_all(), "the complaint reaches the ministry")
    aside = "event cannot take effect; trying again, the others go on"
    line = eventually(
        lambda: [line for line in connector.logged() if line["event"] == aside], "it is refused"
    )[0]
    assert line["reference"] == "1"
    for words in ("MySQL error 1265", "'status'", "the column's type does not take", f"mend {WRONG_WORD}"):
        assert words in line["reason"]
    assert line["reason"].startswith("[write_back.answer]: ")  # whose own UPDATE has the word too
    assert "manual" not in line["reason"]
    connector.kill()
    sql_config(listed, office, connector, write_back(office.ministry))
    checked = connector.run("check")
    assert "1 event is not in effect" in checked.stdout
    assert f"{line['event_id']}, report 1 (pending): [write_back.answer]: MySQL error 1265" in checked.stdout
    assert (checked.returncode, last_line(checked.stdout)[:15]) == (1, "1 thing to mend")
    connector.start()
    eventually(lambda: listed.run("SELECT 1 FROM pengaduan WHERE status = 'selesai'"), "it takes effect")
    eventually(office.settled, "and its event is settled")
    connector.kill()
    assert connector.run("check").returncode == 0


def test_an_answer_whose_row_is_gone_took_effect_and_is_nothing_to_mend(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Jalan rusak.")
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: office.legs(), "the complaint is forwarded")
    eventually(lambda: sqlite.run("SELECT 1 FROM pengaduan WHERE status = 'proses'"), "the app hears of it")
    sqlite.run("DELETE FROM pengaduan")
    office.answer_all()
    eventually(lambda: sqlite.run("SELECT 1 FROM tanggapan"), "the answer is there")
    eventually(office.settled, "and its event is settled")
    connector.kill()
    checked = connector.run("check")
    assert "events that took effect, but look at them:" in checked.stdout
    assert "(done): an UPDATE found no row" in checked.stdout
    assert checked.returncode == 0


@pytest.mark.parametrize("app", ENGINES[:2] + ENGINES[3:], indirect=True)
def test_a_wrong_key_is_blamed_on_the_key(app: App, office: Office, connector: ConnectorProcess) -> None:
    sql_config(app, office, connector, source='table = "pengaduan"\nkey = "id"')
    said = connector.run("check").stdout
    assert "WRONG  [source] key = id: " in said
    assert "[source] table" not in said
    sql_config(app, office, connector, source='table = "pengaduan"\nkey = "id_pengaduan"\ncursor = "nomor"')
    assert "WRONG  [source] cursor = nomor: " in connector.run("check").stdout


def test_after_a_mistake_of_the_database_check_says_what_it_did_not_look_at(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector, source='table = "aduan"\nkey = "id_pengaduan"')
    said = connector.run("check").stdout
    unseen = "the mapping and the writing back were not looked at, for the rows cannot be read"
    assert unseen in said
    assert "\nMapping" not in said
    del connector.env["APP_URL"]
    lines = connector.run("check").stdout.splitlines()
    assert unseen in lines[lines.index("Database") + 1]


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_wrong_port_names_the_setting_that_holds_it(
    scheme: str, sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(sqlite, office, connector)
    connector.env["APP_URL"] = f"{scheme}://simpul:rahasia@127.0.0.1:{free_port()}/pengaduan"
    (line,) = [line for line in connector.run("check").stdout.splitlines() if "WRONG" in line]
    assert (
        "see that the database runs there, or mend host and port in the environment variable APP_URL" in line
    )
    assert "rahasia" not in line


def test_a_category_that_holds_rows_back_stands_in_the_last_line(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report("Jalan rusak.", category="jalan")
    category = '[category]\ncolumn = "kategori"\ncodes = { jalan = "road" }\n'
    sql_config(sqlite, office, connector, category, category="")
    assert last_line(connector.run("check").stdout).startswith("Nothing stands in the way. ")
    sqlite.report("Lampu mati.", category="lampu")
    checked = connector.run("check")
    assert f"lampu (1); the hub's codes: {office.url}/v1/categories" in checked.stdout
    said = "1 row is held: its category is not in [category.codes]; nothing else stands in the way. "
    assert last_line(checked.stdout).startswith(said)
    assert checked.returncode == 0


def test_the_receipt_is_said_with_the_configuration_it_needs(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    """As it can be pasted into a shell, whatever the folder is called."""
    connector.config = connector.folder / "aplikasi lama" / "connector.toml"
    connector.config.parent.mkdir()
    sqlite.report("Jalan rusak.")
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    case_id = eventually(lambda: office.source.cases(), "the complaint arrives")[0]["id"]
    office.erase(case_id)
    erased = eventually(lambda: [line for line in connector.logged() if "then" in line], "it says so")[0]
    command = ["simpul-connector", "receipt", str(connector.config), case_id]
    assert shlex.split(erased["then"]) == command
    connector.kill()
    (line,) = [line for line in connector.run("check").stdout.splitlines() if "say so: " in line]
    assert shlex.split(line.partition("say so: ")[2]) == command


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (UPDATE, ("pengaduan", "status")),
        ("UPDATE `app`.`pengaduan` AS p SET p.`status`=:status, x = ':status' WHERE p.id = :key",
         ("app.pengaduan", "status")),
        ("update pengaduan set diubah = NOW(), status = :status where id = :key", ("pengaduan", "status")),
        ("UPDATE pengaduan SET status = COALESCE(:status, status) WHERE id = :key", None),
        ("UPDATE pengaduan SET catatan = 'status = :status' WHERE id = :key", None),
        ("UPDATE pengaduan SET diubah = NOW() WHERE id = :key AND status = :status", None),
        ("UPDATE a JOIN b ON a.id = b.id SET a.status = :status WHERE a.id = :key", None),
        ("INSERT INTO riwayat (status) VALUES (:status)", None),
    ],
)  # fmt: skip
def test_the_column_of_a_parameter_is_known_where_an_update_says_it(
    statement: str, found: tuple[str, str] | None
) -> None:
    assert column_set_to(statement, "status") == found


def test_what_an_enum_lists_is_read_from_its_type() -> None:
    assert listed_in("enum('0','proses','se''lesai, \"ya\"')") == ["0", "proses", 'se\'lesai, "ya"']
    assert listed_in("varchar(10)") is None
    assert listed_in("set('a','b')") is None


def test_the_servers_words_about_a_value_hold_no_value() -> None:
    dialect = open_dialect(read_address("mysql:///x", "x"), 5, "utf8mb4")
    refused = pymysql.err.DataError(1366, "Incorrect string value: 'rahasia' for column 'isi' at row 1")
    assert "rahasia" not in str(dialect.translate(refused, connecting=False))
    cut = pymysql.err.DataError(1265, "Data truncated for column 'status' at row 1")
    assert "Data truncated for column 'status'" in str(dialect.translate(cut, connecting=False))
