"""What a database refuses is said with the key of the configuration and the remedy."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator

import psycopg.errors
import pymysql
import pytest

from connectors.dialects import open_dialect, read_address
from connectors.errors import StatementRefused
from connectors.wording import blame
from tests.connectors.apps import App
from tests.connectors.conftest import ENGINES
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually
from tests.connectors.test_thread_messages import REPLIES, config

PASSWORD = "rahasia-sekali-88"


@contextlib.contextmanager
def least_user(app: App) -> Iterator[str]:
    """A database user who may read, and write nothing yet; the connector's address with it."""
    user = f"u{secrets.token_hex(5)}"
    address = read_address(app.url, "test")
    if app.engine == "postgres":
        app.run(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
        app.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    else:
        app.run(f"CREATE USER {user}@'%' IDENTIFIED BY '{PASSWORD}'")
        app.run(f"CREATE USER {user}@'localhost' IDENTIFIED BY '{PASSWORD}'")
        for host in ("%", "localhost"):
            app.run(f"GRANT SELECT ON {address.name}.* TO {user}@'{host}'")
            app.run(f"GRANT UPDATE (isi_laporan) ON {address.name}.pengaduan TO {user}@'{host}'")
    try:
        yield f"{address.scheme}://{user}:{PASSWORD}@{app.url.rpartition('@')[2]}"
    finally:
        if app.engine == "postgres":
            app.run(f"DROP OWNED BY {user}")
            app.run(f"DROP ROLE {user}")
        else:
            app.run(f"DROP USER {user}@'%', {user}@'localhost'")


@pytest.mark.parametrize("app", [each for each in ENGINES if each != "sqlite"], indirect=True)
def test_a_missing_right_is_named_with_its_section_and_the_grant(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    """SQLite knows no users."""
    app.report("Jalan rusak.")
    with least_user(app) as url:
        sql_config(app, office, connector, write_back(office.ministry))
        connector.env["APP_URL"] = url
        said = connector.run("check").stdout
        (insert, update, status) = [line for line in said.splitlines() if "WRONG" in line]
        assert "[write_back.answer]: " in insert
        assert "[write_back.status]: " in status
        for line in (insert, update, status):
            assert "OperationalError" not in line
            assert "GRANT" in line
            assert PASSWORD not in line
        if app.engine != "postgres":
            assert "error 1143" in status
            assert "'status'" in status
            assert "error 1142" in insert
            assert "or there is no table of this name" in insert
        connector.start()
        eventually(lambda: office.answer_all(), "the complaint reaches the ministry")
        aside = "event cannot take effect; trying again, the others go on"
        line = eventually(
            lambda: [line for line in connector.logged() if line["event"] == aside], "it is refused"
        )[0]
        assert line["reason"].startswith("[write_back.status]: ")
        assert "GRANT" in line["reason"]
        connector.kill()


def test_a_wrong_column_of_a_statement_is_named_with_its_section(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    app.report("Jalan rusak.")
    text = write_back(office.ministry).replace("SET status = :status WHERE", "SET keadaan = :status WHERE")
    sql_config(app, office, connector, text)
    said = [line for line in connector.run("check").stdout.splitlines() if "WRONG" in line]
    assert len(said) == 2
    for line, section in zip(said, ("[write_back.answer]", "[write_back.status]"), strict=True):
        assert f"{section}: " in line
        assert "keadaan" in line
        assert "mend the column's name" in line


def test_the_table_of_the_replies_is_named_with_its_section(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(app, office, connector, config(app, write_back(office.ministry), REPLIES))
    said = [line for line in connector.run("check").stdout.splitlines() if "WRONG" in line]
    assert len(said) == 1
    assert "[reporter_replies] query: " in said[0]
    assert "balasan" in said[0]
    assert "mend the table's name, or make the table" in said[0]
    connector.start()
    eventually(lambda: any("reading replies cannot" in event for event in connector.events()), "it says so")
    (line,) = [line for line in connector.logged() if "reading replies cannot" in line["event"]]
    assert line["cause"].startswith("[reporter_replies] query: ")


def test_a_refused_login_names_its_variable_and_is_not_called_away(
    app: App, office: Office, connector: ConnectorProcess
) -> None:
    sql_config(app, office, connector)
    good = app.url
    if app.engine == "sqlite":
        other = connector.folder / "bukan.db"
        other.write_bytes(b"bukan basis data sama sekali" * 100)
        connector.env["APP_URL"] = f"sqlite:///{other}"
    else:
        scheme, _, rest = good.partition("://")
        connector.env["APP_URL"] = f"{scheme}://salah-orang:{PASSWORD}@{rest.rpartition('@')[2]}"
    said = connector.run("check").stdout
    (line,) = [line for line in said.splitlines() if "WRONG" in line]
    assert "the environment variable APP_URL (database.url_env)" in line
    connector.start()
    eventually(lambda: any("APP_URL" in event for event in connector.events()), "it says so")
    (told,) = [line for line in connector.logged() if "APP_URL" in line["event"]]
    assert told["level"] == "error"
    assert "this does not mend itself" in told["event"]
    assert not any("is away" in event for event in connector.events())
    assert PASSWORD not in connector.log.read_text() + said


def test_the_words_of_the_remedy_are_no_names_of_the_app() -> None:
    said = "no such column: isi"
    error = StatementRefused(f"SQLite says: {said}; mend the column's name, or the manual", said)
    keys = {"isi": "[map] title", "name": "[map] reporter.name", "manual": "[map] description"}
    assert str(blame(error, keys)).startswith("[map] title = isi: ")


@pytest.mark.parametrize("engine", ["mysql", "postgresql", "sqlite"])
def test_what_no_sentence_is_written_for_says_where_to_look(engine: str) -> None:
    errors = {
        "mysql": pymysql.err.DataError(1264, "Out of range value 'rahasia' for column 'x'"),
        "postgresql": psycopg.errors.NumericValueOutOfRange("rahasia"),
        "sqlite": sqlite3.IntegrityError("CHECK constraint failed: x"),
    }
    dialect = open_dialect(read_address(f"{engine}:///x", "x"), 5, "utf8mb4")
    words = str(dialect.translate(errors[engine], connecting=False))
    assert "manual" in words
    assert "rahasia" not in words
