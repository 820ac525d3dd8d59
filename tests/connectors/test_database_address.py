"""Where the database is, in messages, never with a password; and how a password is written there."""

from __future__ import annotations

import psycopg
import pytest

from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.errors import ConfigRefused, DatabaseAway
from tests.parts.local_server import free_port

ENCODE = "in a user name or password write @ : / ? # [ ] % as %40 %3A %2F %3F %23 %5B %5D %25"


async def said(url: str) -> str:
    database = Database(open_dialect(read_address(url, "database.url_env"), 5, "utf8mb4"), "test")
    try:
        with pytest.raises(DatabaseAway) as caught:
            await database.read(lambda session: session.rows("SELECT 1", {}))
        return str(caught.value)
    finally:
        database.close()


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
async def test_a_server_that_is_not_there_is_named_with_its_database(scheme: str) -> None:
    port = free_port()
    words = await said(f"{scheme}://simpul:rahasia@127.0.0.1:{port}/pengaduan")
    assert f"127.0.0.1:{port}, database pengaduan" in words
    assert "rahasia" not in words
    assert "%40" not in words


@pytest.mark.parametrize("engine, port", [("mysql", 3306), ("postgresql", 5432)])
def test_the_usual_port_is_named_where_the_address_leaves_it_out(engine: str, port: int) -> None:
    dialect = open_dialect(read_address(f"{engine}://simpul@db/pengaduan", "x"), 5, "utf8mb4")
    assert dialect.place() == f"db:{port}, database pengaduan"


@pytest.mark.parametrize("password", ["a/b", "12/34", "a#b", "12#34", "a?b", "1?2", "a[b"])
def test_an_address_that_a_password_breaks_is_refused_with_how_to_write_it(password: str) -> None:
    with pytest.raises(ConfigRefused) as caught:
        read_address(f"mysql://simpul:{password}@localhost:3306/pengaduan", "database.url_env")
    assert ENCODE in str(caught.value)
    assert password not in str(caught.value)


def test_a_password_written_as_it_should_be_arrives_as_it_is() -> None:
    address = read_address("mysql://simpul:p%40s%3As%2F%23%25@localhost/pengaduan", "x")
    assert (address.password, address.host, address.name) == ("p@s:s/#%", "localhost", "pengaduan")


@pytest.mark.mariadb
async def test_a_refused_login_says_how_such_a_password_is_written(mariadb: str) -> None:
    server = mariadb.rpartition("@")[2]
    words = await said(f"mysql://tidak-ada:pa%41s@{server}pengaduan")
    assert "MySQL error 1045" in words
    assert ENCODE in words
    assert ENCODE not in await said(f"mysql://tidak-ada:polos@{server}pengaduan")


def test_a_login_that_postgresql_refuses_says_so_too() -> None:
    error = psycopg.OperationalError('FATAL:  password authentication failed for user "simpul"')
    for password, told in (("p@ss", True), ("polos", False)):
        address = read_address(f"postgresql://simpul:{password}@db/pengaduan", "x")
        words = str(open_dialect(address, 5, "utf8mb4").translate(error, connecting=True))
        assert "db:5432, database pengaduan" in words
        assert (ENCODE in words) is told
