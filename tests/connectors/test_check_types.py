"""`check` compares what the configuration writes with the columns' types, and names every column that is not
there at once."""

from __future__ import annotations

import pytest

from connectors.statements import column_given
from tests.connectors.apps import App, mysql_app
from tests.connectors.conftest import ENGINES
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess


def lines(connector: ConnectorProcess, mark: str) -> list[str]:
    return [line for line in connector.run("check").stdout.splitlines() if line.startswith(f"  {mark}")]


@pytest.mark.mariadb
def test_words_for_a_number_column_and_a_text_column_that_lacks_signs(
    mariadb: str, office: Office, connector: ConnectorProcess
) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.report("Jalan rusak.")
        app.run("ALTER TABLE pengaduan MODIFY status INT NOT NULL DEFAULT 0")
        app.run("ALTER TABLE tanggapan MODIFY tanggapan TEXT CHARACTER SET utf8mb3 NOT NULL")
        sql_config(app, office, connector, write_back(office.ministry))
        said = lines(connector, "WRONG")
        assert len(said) == 2
        words = '[write_back.status.values] verified, forwarded, in_progress = "proses"'
        assert f"{words}: the column pengaduan.status (int(11)) takes numbers only" in said[0]
        assert '"1"' in said[0]
        (note,) = [line for line in lines(connector, "note") if "utf8mb4" in line]
        assert "[write_back.answer]: the column tanggapan.tanggapan is utf8mb3 and cannot hold" in note
        numbers = write_back(office.ministry).replace('"proses"', '"1"').replace('"selesai"', '"2"')
        app.run("ALTER TABLE tanggapan MODIFY tanggapan TEXT CHARACTER SET utf8mb4 NOT NULL")
        sql_config(app, office, connector, numbers)
        checked = connector.run("check").stdout
        assert "WRONG" not in checked
        assert "cannot hold" not in checked


@pytest.mark.parametrize("app", ENGINES[:2] + ENGINES[3:], indirect=True)
def test_every_column_that_is_not_there_is_named_at_once(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(
        app,
        office,
        connector,
        title='title = "judul"',
        reporter='reporter.name = "masyarakat.nama_lengkap"\nreporter.phone = "telp"\n'
        'location.address = "jalan"',
    )
    said = lines(connector, "WRONG")
    assert len(said) == 3
    for key in ("[map] title = judul: ", "[map] location.address = jalan: ",
                "[map] reporter.name = masyarakat.nama_lengkap: "):  # fmt: skip
        assert len([line for line in said if key in line]) == 1, key
    assert not any("isi_laporan" in line or "telp" in line for line in said)
    notes = lines(connector, "note")
    assert any("pengaduan has the columns id_pengaduan, tgl_pengaduan, nik, isi_laporan" in n for n in notes)
    assert any("masyarakat has the columns nik, nama, username, password, telp" in n for n in notes)


@pytest.mark.parametrize(
    "statement, found",
    [
        ("INSERT INTO a.`tanggapan` (id, `isi`) VALUES (concat(:key, ','), :answer)", ("a.tanggapan", "isi")),
        ("insert into t (x, y) values ('(:answer', :answer )", ("t", "y")),
        ("INSERT INTO t (x) VALUES (concat(:answer, '.'))", None),
        ("INSERT INTO t VALUES (:answer)", None),
        ("INSERT INTO t (x) SELECT :answer", None),
        ("UPDATE t SET x = :answer WHERE id = :key", ("t", "x")),
        ("DELETE FROM t WHERE x = :answer", None),
    ],
)
def test_the_column_that_gets_a_parameter(statement: str, found: tuple[str, str] | None) -> None:
    assert column_given(statement, "answer") == found
