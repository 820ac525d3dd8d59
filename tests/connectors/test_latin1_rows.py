"""An app whose connection speaks latin1 as MySQL has it: cp1252, and the five bytes that cp1252 lacks."""

from __future__ import annotations

import pytest

from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.errors import StatementRefused
from tests.connectors.apps import mysql_app
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually

ODD = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
pytestmark = pytest.mark.mariadb


async def test_every_byte_is_read_as_the_server_itself_converts_it(mariadb: str) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.run("CREATE TABLE huruf (id INT PRIMARY KEY, isi TEXT CHARACTER SET latin1)")
        every = bytes(range(1, 256)).hex()
        app.run(f"INSERT INTO huruf VALUES (1, _latin1 X'{every}')")
        read = {}
        for charset in ("latin1", "utf8mb4"):
            database = Database(open_dialect(read_address(app.url, "test"), 10, charset), "test")
            rows = await database.read(lambda session: session.rows("SELECT isi FROM huruf", {}))
            read[charset] = rows[0]["isi"]
            if charset == "latin1":
                what = {"isi": read[charset]}
                change = "UPDATE huruf SET isi = :isi"
                await database.write(lambda session, with_=what, say=change: session.execute(say, with_))
            database.close()
        assert read["latin1"] == read["utf8mb4"]
        assert app.run("SELECT hex(isi) FROM huruf")[0][0].lower() == every


async def test_a_text_that_latin1_cannot_say_is_refused_with_the_setting(mariadb: str) -> None:
    database = Database(open_dialect(read_address(mariadb + "mysql", "test"), 10, "latin1"), "test")
    words = {"x": "Terima kasih \U0001f64f rahasia"}
    try:
        with pytest.raises(StatementRefused) as caught:
            await database.read(lambda session: session.rows("SELECT :x", words))
    finally:
        database.close()
    assert "database.charset" in str(caught.value)
    assert "rahasia" not in str(caught.value)


def test_one_such_row_ends_neither_the_check_nor_the_connector(
    mariadb: str, office: Office, connector: ConnectorProcess
) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.run("ALTER TABLE pengaduan MODIFY isi_laporan TEXT CHARACTER SET latin1 NOT NULL")
        app.reports(3)
        app.run(f"UPDATE pengaduan SET isi_laporan = CONCAT('Jalan ', _latin1 X'{ODD.hex()}', ' rusak') "
                "WHERE id_pengaduan = 2")  # fmt: skip
        sql_config(app, office, connector)
        config = connector.config
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("[source]", 'charset = "latin1"\n[source]', 1), encoding="utf-8")
        checked = connector.run("check")
        assert "Traceback" not in checked.stdout + checked.stderr
        assert "of the 3 rows looked at, 3 can be sent" in checked.stdout
        connector.start()
        found = eventually(lambda: len(office.complaints()) == 3 and office.complaints(), "all arrive")
        assert found["2"]["description"] == "Jalan  rusak"
