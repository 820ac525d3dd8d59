"""Settings are documented, overridable and refused when wrong."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hub.cli.serve import lacks_public_url
from hub.errors import SettingsError
from hub.settings import Settings, load

ROOT = Path(__file__).parents[2]
MANUAL = ROOT / "deploy" / "simpul.toml"


def test_the_default_file_is_the_manual() -> None:
    documented = set(re.findall(r"^#?([a-z_]+) = ", MANUAL.read_text(), re.MULTILINE))
    assert documented == {f.name for f in fields(Settings)}


def test_the_default_file_says_the_defaults() -> None:
    assert load(MANUAL, {}) == load(None, {})


def test_every_example_is_taken_by_its_own_parser(tmp_path: Path) -> None:
    examples = re.findall(r"^#([a-z_]+) = (.+)", MANUAL.read_text(), re.MULTILINE)
    assert len(examples) > 5
    for name, value in examples:
        path = tmp_path / "one.toml"
        path.write_text(f"{name} = {value}\n")
        assert getattr(load(path, {}), name) not in (None, getattr(load(None, {}), name)), name


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = tmp_path / "simpul.toml"
    path.write_text('listen = "127.0.0.1:1"\nlog_level = "error"\n')
    found = load(path, {"SIMPUL_LISTEN": "127.0.0.1:2", "SIMPUL_TEST_POSTGRES_URL": "x", "PATH": "y"})
    assert (found.listen, found.log_level) == (("127.0.0.1", 2), "error")
    assert found.issuer == "http://127.0.0.1:2"


@pytest.mark.parametrize(
    ("given", "alone"),
    [
        ({"SIMPUL_DATABASE_URL": "postgresql://localhost/simpul"}, True),
        (
            {"SIMPUL_DATABASE_URL": "postgresql://localhost/simpul", "SIMPUL_PUBLIC_URL": "https://hub.id"},
            False,
        ),
        ({}, False),
    ],
)
def test_several_processes_need_one_name_for_their_tokens(given: dict[str, str], alone: bool) -> None:
    assert lacks_public_url(load(None, given)) is alone


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMPUL_LISTEN", "nowhere"),
        ("SIMPUL_LISTEN", "127.0.0.1:99999"),
        ("SIMPUL_PUBLIC_URL", "ftp://x"),
        ("SIMPUL_TOKEN_LIFETIME_S", "10"),
        ("SIMPUL_TOKEN_LIFETIME_S", "soon"),
        ("SIMPUL_WEBHOOK_ALLOWED_NETWORKS", "10.0.0.0/33"),
        ("SIMPUL_TLS_IN_FRONT", "maybe"),
        ("SIMPUL_DATABASE_URL", "mysql://x"),
        ("SIMPUL_DATABASE_URL", "postgresql://localhost"),
        ("SIMPUL_DATABASE_URL", "postgresql://localhost:port/x"),
        ("SIMPUL_DATABASE_URL", "postgresql+psycopg://localhost/x"),
        ("SIMPUL_KAFKA_BOOTSTRAP", "127.0.0.1"),
        ("SIMPUL_KAFKA_AGENCY_BOOTSTRAP", "127.0.0.1:9092,kafka"),
        ("SIMPUL_KAFKA_TOPIC_PREFIX", "simpul"),
        ("SIMPUL_KAFKA_TOPIC_PREFIX", "simpul/."),
        ("SIMPUL_KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("SIMPUL_SURPRISE", "1"),
        ("SIMPUL_RATE_LIMIT_PER_CLIENT_PER_S", "nan"),
        ("SIMPUL_RATE_LIMIT_PER_CLIENT_PER_S", "inf"),
        ("SIMPUL_RATE_LIMIT_PER_CLIENT_PER_S", "1e999"),
        ("SIMPUL_RATE_LIMIT_PER_CLIENT_PER_S", "-1"),
        ("SIMPUL_DATA_DIR", "~nobody-of-that-name/var"),
    ],
)
def test_what_is_wrong_refuses_the_start_with_its_key(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load(None, {name: value})


@pytest.mark.parametrize(
    "line",
    [
        "queue_limit = inf",
        "queue_limit = nan",
        "queue_limit = 100.5",
        "rate_limit_per_client_per_s = nan",
        "rate_limit_per_client_per_s = true",
        'data_dir = "a\\u0000b"',
        "data_dir = 5",
    ],
)
def test_what_toml_can_say_and_no_environment_can(tmp_path: Path, line: str) -> None:
    path = tmp_path / "simpul.toml"
    path.write_text(line + "\n")
    with pytest.raises(SettingsError, match=line.split()[0]):
        load(path, {})


def test_unknown_keys_in_the_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "simpul.toml"
    path.write_text("surprise = 1\n")
    with pytest.raises(SettingsError, match="surprise"):
        load(path, {})
    path.write_text("listen = \n")
    with pytest.raises(SettingsError, match="not TOML"):
        load(path, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgresql://simpul:rahasia@db.example.go.id:5432/simpul", None),
        ("postgres://simpul@localhost/simpul", "postgresql://simpul@localhost/simpul"),
        ("postgresql://simpul@satu:5432,dua:5433,[::1]:5434/simpul?sslmode=require", None),
        ("postgresql:///simpul?host=/run/postgresql", None),
    ],
)
def test_postgresql_is_an_address_and_no_file(given: str, kept: str | None) -> None:
    found = load(None, {"SIMPUL_DATABASE_URL": given})
    assert found.database == (kept or given)
    assert found.on_postgres
    assert "rahasia" not in repr(found)


def test_sqlite_is_a_file() -> None:
    assert load(None, {}).database == Path("var/simpul.db")
    assert load(None, {"SIMPUL_DATABASE_URL": "sqlite:////srv/a.db"}).database == Path("/srv/a.db")
