"""A wrong setting's error says what was probably meant, and never any part of a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import SettingsError
from hub.settings import load

HOST = "127.0.0.1:5432/simpul"


@pytest.mark.parametrize(
    "password",
    ["p@ss", "pa@ss@wd", "ra/ha@sia", "ra/hasia", "ra?ha/sia", "ra%hasia", "ra@ha/sia", "ra/h?x@y"],
)
def test_a_raw_password_is_refused_without_a_part_of_it(password: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(None, {"SIMPUL_DATABASE_URL": f"postgresql://simpul:{password}@{HOST}"})
    said = str(refused.value)
    assert said.startswith("SIMPUL_DATABASE_URL: ")
    assert "%40" in said
    assert "127.0.0.1:5432" in said, "where it would go"
    for part in (password, "ss@", "hasia", "wd@", "sia"):
        assert part not in said.replace("password", "")


def test_without_an_at_sign_nothing_is_repeated() -> None:
    for rest in ("simpul:ra%hasia", "simpul:ra/hasia", "simpul:rahasia"):
        with pytest.raises(SettingsError) as refused:
            load(None, {"SIMPUL_DATABASE_URL": f"postgresql://{rest}"})
        assert "hasia" not in str(refused.value)


def test_the_file_s_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "simpul.toml"
    path.write_text(f'database_url = "postgresql://simpul:p@ss@{HOST}"\n')
    with pytest.raises(SettingsError, match=r"simpul\.toml: database_url: .*%40"):
        load(path, {})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://simpul:p%40ss%2F%25@127.0.0.1:5432/simpul",
        "postgresql://simpul:a:b@127.0.0.1:5432/simpul",
        "postgresql:///simpul?user=a@b&host=/run/postgresql",
        "postgresql://simpul@satu:5432,dua/simpul?options=-c%20x%3Dy",
    ],
)
def test_what_libpq_understands_is_taken(url: str) -> None:
    assert load(None, {"SIMPUL_DATABASE_URL": url}).database == url


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("SIMPUL_TOKEN_LIFETIM_S", "SIMPUL_TOKEN_LIFETIME_S"),
        ("SIMPUL_DATABASEURL", "SIMPUL_DATABASE_URL"),
        ("SIMPUL_LISTN", "SIMPUL_LISTEN"),
    ],
)
def test_the_nearest_setting_is_suggested(given: str, meant: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(None, {given: "1"})
    assert str(refused.value) == f"{given}: no such setting. Did you mean {meant}?"


def test_the_nearest_key_of_the_file_is_suggested(tmp_path: Path) -> None:
    path = tmp_path / "simpul.toml"
    path.write_text("listn = 1\n")
    with pytest.raises(SettingsError) as refused:
        load(path, {})
    assert str(refused.value) == f"{path}: no such key 'listn'. Did you mean listen?"


def test_where_nothing_is_near_all_are_listed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"SIMPUL_QQQ: no such setting\. Known: .*SIMPUL_LISTEN, "):
        load(None, {"SIMPUL_QQQ": "1"})
    path = tmp_path / "simpul.toml"
    path.write_text("qqq = 1\n")
    with pytest.raises(SettingsError, match=r"no such key 'qqq'\. Known: .*listen, "):
        load(path, {})


@pytest.mark.parametrize("port", ["99999", "65536"])
def test_a_port_that_cannot_be_is_said_to_be_none(port: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(None, {"SIMPUL_LISTEN": f"127.0.0.1:{port}"})
    assert str(refused.value) == f"SIMPUL_LISTEN: there is no port {port}; they go from 1 to 65535."


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:http"])
def test_an_address_without_a_port_is_told_its_form(text: str) -> None:
    with pytest.raises(
        SettingsError, match=r"SIMPUL_LISTEN: host:port is needed, such as 127\.0\.0\.1:8080\."
    ):
        load(None, {"SIMPUL_LISTEN": text})


@pytest.mark.parametrize("line", ["listen = 127.0.0.1:80", "database_url = postgresql://simpul:rahasia@db/s"])
def test_text_without_quotes_is_told_so_and_not_repeated(tmp_path: Path, line: str) -> None:
    path = tmp_path / "simpul.toml"
    path.write_text(line + "\n")
    with pytest.raises(SettingsError) as refused:
        load(path, {})
    said = str(refused.value)
    assert said.startswith(f"{path}: is not TOML (")
    assert said.endswith('). Put text in quotes, such as listen = "127.0.0.1:8080".')
    assert "rahasia" not in said
