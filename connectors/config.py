"""The configuration of one connector: TOML in, frozen dataclasses out. Each key's reason stands beside it.

Credentials never stand in the file: it names environment variables.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.errors import ConfigRefused
from connectors.hub_address import check_hub_url
from connectors.options import beside, option


@dataclass(frozen=True, kw_only=True)
class Hub:
    """[hub]: where the hub is and who we are there."""

    url: str = option(reason="the hub's public address, such as https://simpul.example.go.id")
    client_id_env: str = option(
        "SIMPUL_CLIENT_ID", reason="the environment variable that holds the client id"
    )
    client_secret_env: str = option(
        "SIMPUL_CLIENT_SECRET", reason="the environment variable that holds the client secret"
    )
    private_key_file: str = option("", reason="a PEM private key instead of a secret (private_key_jwt)")
    submit: str = option(
        "http",
        reason="how complaints and replies go to the hub; kafka needs [kafka]",
        choices=("http", "kafka"),
    )
    timeout_s: float = option(15.0, reason="how long one call may take", minimum=1, maximum=300)
    wait_s: int = option(25, reason="how long the hub may hold a mailbox poll open", minimum=0, maximum=30)
    batch_from: int = option(20, reason="from so many waiting complaints on, they go as one batch", minimum=2)
    batch_limit: int = option(200, reason="the most complaints in one batch", minimum=2, maximum=5000)
    backoff_cap_s: float = option(15.0, reason="the longest pause while a part is away", minimum=0.1)


@dataclass(frozen=True, kw_only=True)
class Database:
    """[database]: the agency's own database."""

    url_env: str = option(
        reason="the environment variable that holds its address: mysql://user:password@host:3306/name, "
        "postgresql://..., sqlite:///file"
    )
    timeout_s: float = option(30.0, reason="how long one statement may take", minimum=1, maximum=600)
    charset: str = option(
        "utf8mb4", reason="MySQL only: the connection's character set", choices=("utf8mb4", "utf8", "latin1")
    )


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every kind has. A kind's own configuration adds its tables to these."""

    kind: str = option(reason="sql, webhook, mailbox or kafka")
    agency: str = option(reason="this agency's id in the hub")
    hub: Hub
    spool: str = option(reason="the spool's file; beside it lie its key and its lock")
    time_zone: str = option(
        "Asia/Jakarta", reason="Asia/Jakarta (WIB), Asia/Makassar (WITA), Asia/Jayapura (WIT)"
    )

    file: str = beside("CONFIG.toml")
    """Where it was read, for commands that are shown to a person."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def read_document(path: Path) -> dict[str, Any]:
    """The TOML file as a dictionary; a missing or malformed file is refused in plain words."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigRefused(
            str(path), f"cannot be read ({error.strerror})", "give the path of a TOML file"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigRefused(str(path), "is not UTF-8 text", "save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigRefused(str(path), f"is not TOML: {error}", "mend that line") from error


def check_common(config: Common) -> None:
    """What one key alone cannot show."""
    try:
        ZoneInfo(config.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        remedy = "write Asia/Jakarta, Asia/Pontianak, Asia/Makassar or Asia/Jayapura"
        raise ConfigRefused("time_zone", f"{config.time_zone!r} is unknown", remedy) from error
    check_http_url("hub.url", config.hub.url)
    check_hub_url(config.hub.url)


def check_http_url(key: str, url: str) -> None:
    """Only http and https addresses with a host, without credentials inside."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigRefused(key, f"{url!r} is no web address", "write it as https://host")
    if parts.username or parts.password:
        raise ConfigRefused(key, "holds a user name or password", "name environment variables instead")


def secret(variable: str, key: str) -> str:
    """The value of an environment variable that the configuration names; refuses the start without it."""
    value = os.environ.get(variable, "")
    if not value:
        raise not_set(variable, key)
    return value


def not_set(variable: str, key: str) -> ConfigRefused:
    return ConfigRefused(key, f"the environment variable {variable} is not set", f"export {variable}=...")
