"""The hub on a real PostgreSQL by TLS and password, and which sentence each fault of both gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.main import main
from tests.parts.caller import complaint
from tests.parts.hub import HubProcess
from tests.secure.authority import Authority, written
from tests.secure.secure_postgres import PASSWORD, SecurePostgres

pytestmark = pytest.mark.postgres
WRONG = "sandi-yang-salah-58"


def simpul(folder: Path, line: str, url: str) -> Result:
    return CliRunner().invoke(
        main, line.split(), env={"SIMPUL_DATA_DIR": str(folder / "var"), "SIMPUL_DATABASE_URL": url}
    )


def refused(folder: Path, url: str) -> str:
    """The one line that a command ends with."""
    ended = simpul(folder, "agency list", url)
    assert ended.exit_code == 1, ended.output
    (said,) = ended.stderr.splitlines()
    for secret in (PASSWORD, PASSWORD.partition(" ")[2], "kata%20sandi", WRONG):
        assert secret not in ended.output
    return said


def test_the_hub_serves_by_tls_and_password(tmp_path: Path, database: SecurePostgres) -> None:
    hub = HubProcess(tmp_path, {"SIMPUL_DATABASE_URL": database.url()})
    hub.desk("migrate")
    app = hub.agency("kab-pelita", "regency", "--region", "62.02")
    hub.start()
    try:
        assert app.call("POST", "/v1/complaints", complaint(app.agency, "1"))[0] == 201
        ours = database.admin(
            "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'simpul'"
        )
        assert ours == [(True,)], "every connection of the hub, the listener's too"
    finally:
        hub.kill()
    assert PASSWORD not in hub.log.read_text()


def test_a_certificate_of_another_authority(tmp_path: Path, database: SecurePostgres) -> None:
    other = written(tmp_path, "lain.pem", Authority("Otoritas lain").root())
    said = refused(tmp_path, database.url(sslrootcert=str(other)))
    assert said.startswith("simpul: SIMPUL_DATABASE_URL: PostgreSQL at localhost:")
    assert "certificate verify failed" in said
    assert "sslrootcert" in said and "has it expired" in said
    assert "is it running" not in said.lower()


def test_a_certificate_for_another_name(tmp_path: Path, database: SecurePostgres) -> None:
    said = refused(tmp_path, database.url(host="127.0.0.1"))
    assert "does not match host name" in said
    assert "Name the server in SIMPUL_DATABASE_URL as its certificate does" in said


@pytest.mark.parametrize("file", ["tidak-ada.pem", ""])
def test_a_file_of_authorities_that_is_not_there(
    tmp_path: Path, database: SecurePostgres, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver would advise to disable the verification."""
    monkeypatch.setenv("HOME", str(tmp_path))
    said = refused(tmp_path, database.url(sslrootcert=file and str(tmp_path / file)))
    assert "does not exist" in said
    assert "Name the PEM file of the authority" in said
    assert "disable" not in said


def test_a_wrong_password(tmp_path: Path, database: SecurePostgres) -> None:
    said = refused(tmp_path, database.url(WRONG))
    assert 'password authentication failed for user "simpul"' in said
    assert "Check user and password" in said


def test_a_connection_in_clear_where_the_server_wants_tls(tmp_path: Path, database: SecurePostgres) -> None:
    said = refused(tmp_path, database.url(sslmode="disable", sslrootcert=""))
    assert "no encryption" in said
    assert "Add ?sslmode=verify-full&sslrootcert=" in said


@pytest.fixture
def without_tls(database: SecurePostgres) -> Iterator[SecurePostgres]:
    for statement in ("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()"):
        database.admin(statement)
    yield database
    for statement in ("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()"):
        database.admin(statement)


def test_a_server_without_tls(tmp_path: Path, without_tls: SecurePostgres) -> None:
    said = refused(tmp_path, without_tls.url())
    assert "does not support SSL" in said
    assert "Set ssl = on at the server" in said
