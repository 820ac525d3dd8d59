"""What MariaDB refuses of a value is said by column and remedy, and never with the value."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pymysql
import pytest

from connectors.database import Database, Session
from connectors.dialects import mysql, open_dialect, read_address
from connectors.errors import ConfigRefused, StatementRefused, ValueNotTaken
from connectors.options import read_table
from connectors.write_back import StatusBack
from tests.connectors.apps import App, mysql_app
from tests.connectors.desk import ANSWERED, open_desk
from tests.connectors.test_database_address import said

SIGNS = "Terima kasih \U0001f64f rahasia"
MARIADB = pytest.mark.mariadb


def strict(session: Session) -> None:
    """As MariaDB and MySQL are installed."""
    session.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'", {})


async def refusal(app: App, statement: str, **parameters: object) -> StatementRefused:
    database = Database(open_dialect(read_address(app.url, "test"), 10, "utf8mb4"), "test")
    try:
        with pytest.raises(StatementRefused) as caught:
            await database.write(strict)
            await database.write(lambda session: session.execute(statement, parameters))
        return caught.value
    finally:
        database.close()


@MARIADB
async def test_signs_that_a_latin1_column_cannot_be_compared_with(mariadb: str) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.run("ALTER TABLE tanggapan MODIFY tanggapan TEXT CHARACTER SET latin1 NOT NULL")
        error = await refusal(app, "SELECT 1 FROM tanggapan WHERE tanggapan = :answer", answer=SIGNS)
    assert "MySQL error 1267" in str(error)
    assert "make it utf8mb4" in str(error)
    assert "rahasia" not in str(error)


@MARIADB
async def test_signs_that_a_column_cannot_hold_name_it(mariadb: str) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.run("ALTER TABLE tanggapan MODIFY tanggapan TEXT CHARACTER SET latin1 NOT NULL")
        app.run("INSERT INTO tanggapan VALUES (1, 1, '2026-02-02', 'x', 1)")
        error = await refusal(app, "UPDATE tanggapan SET tanggapan = :answer", answer=SIGNS)
    assert "`tanggapan`.`tanggapan`" in str(error)
    assert "make it utf8mb4" in str(error)
    assert "rahasia" not in str(error)


@MARIADB
@pytest.mark.parametrize("kind", ["INT", "DECIMAL(3,1)", "DATE"])
async def test_a_word_that_the_columns_type_does_not_take(mariadb: str, kind: str) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.run(f"ALTER TABLE pengaduan MODIFY status {kind} NULL")
        app.run("INSERT INTO pengaduan (nik, isi_laporan, status) VALUES ('1', 'x', NULL)")
        error = await refusal(app, "UPDATE pengaduan SET status = :status", status="rahasia for column `x`")
    assert isinstance(error, ValueNotTaken)
    assert "`pengaduan`.`status`" in str(error)
    assert "utf8mb4" not in str(error)
    assert '"1"' in str(error)
    assert "rahasia" not in str(error)


@MARIADB
async def test_a_word_for_a_number_column_names_its_line(
    mariadb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMPUL_CLIENT_ID", "x")
    monkeypatch.setenv("SIMPUL_CLIENT_SECRET", "y")
    with mysql_app(mariadb, "innodb") as app:
        app.run("ALTER TABLE pengaduan MODIFY status INT NOT NULL DEFAULT 0")
        desk = open_desk(app, tmp_path)
        await desk.database.write(strict)
        desk.arrives(ANSWERED, "answered", 5, "Sudah ditambal.")
        await desk.settle()
        (reason,) = [reason for _, _, reason in desk.inbox.troubles()]
        desk.close()
    assert '[write_back.status.values] answered = "selesai"' in reason


@MARIADB
async def test_an_officer_who_is_not_there_is_named_by_constraint_and_column(mariadb: str) -> None:
    with mysql_app(mariadb, "innodb") as app:
        app.run("CREATE TABLE petugas (id_petugas INT PRIMARY KEY) ENGINE=InnoDB")
        app.run("ALTER TABLE tanggapan ADD CONSTRAINT penjawab FOREIGN KEY (id_petugas) REFERENCES petugas "
                "(id_petugas)")  # fmt: skip
        insert = ("INSERT INTO tanggapan (id_pengaduan, tgl_tanggapan, tanggapan, id_petugas) "
                  "VALUES (1, '2026-02-02', :answer, 1)")  # fmt: skip
        error = await refusal(app, insert, answer="rahasia")
    for part in ("MySQL error 1452", "penjawab", "id_petugas", "[write_back.answer]"):
        assert part in str(error)
    assert "rahasia" not in str(error)


@pytest.mark.parametrize("kind", ["double", "date", "integer"])
def test_the_value_is_cut_out_of_the_servers_own_words(kind: str) -> None:
    dialect = open_dialect(read_address("mysql:///x", "x"), 5, "utf8mb4")
    for column in ("'c'", "`d`.`t`.`c`"):
        said = f"Incorrect {kind} value: 'rahasia' for column 'y' at row 1' for column {column} at row 1"
        words = str(dialect.translate(pymysql.err.DataError(1366, said), connecting=False))
        assert f"column {column}" in words
        assert "rahasia" not in words
        assert "'y'" not in words


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], int]]:
    """Something that listens and is no MySQL: what it says first -> its port. It stays on the line."""
    monkeypatch.setattr(mysql, "GREETING_S", 0.5)
    with ExitStack() as stack:

        def listen(says: bytes) -> int:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            held: list[socket.socket] = []

            def greet() -> None:
                held.append(server.accept()[0])
                held[0].sendall(says)

            threading.Thread(target=greet, daemon=True).start()
            stack.callback(lambda: [one.close() for one in held])
            return int(server.getsockname()[1])

        yield listen


GREETINGS = {
    "silent": b"",
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "zeros": bytes(64),
    "short": b"\x04\x00\x00\x00\x0a5.5",
}


@pytest.mark.parametrize("greeting", list(GREETINGS))
async def test_another_program_at_the_port_is_named_by_host_and_port(
    greeting: str, stranger: Callable[[bytes], int]
) -> None:
    port = stranger(GREETINGS[greeting])
    words = await said(f"mysql://simpul:rahasia@127.0.0.1:{port}/pengaduan")
    assert f"127.0.0.1:{port}, database pengaduan" in words
    assert "mend host and port in database.url_env" in words
    assert "manual" not in words
    assert "rahasia" not in words


def test_a_word_that_is_written_as_a_number_is_asked_for_in_quotes() -> None:
    table = {"statement": "UPDATE x SET s = :status WHERE id = :key", "values": {"verified": 1}}
    with pytest.raises(ConfigRefused) as caught:
        read_table(StatusBack, table, "write_back.status")
    assert str(caught.value).startswith("write_back.status.values.verified: is 1; a text is expected")
    assert '"1"' in str(caught.value)
    assert "number column" in str(caught.value)
