"""The engines that the SQL kinds speak, one small file each."""

from __future__ import annotations

import importlib
from typing import Final
from urllib.parse import unquote, urlsplit

from connectors.dialects.base import ENCODE, Address, Dialect
from connectors.errors import ConfigRefused

DIALECTS: Final = {
    "mysql": "mysql:MySQL",
    "mariadb": "mysql:MySQL",
    "postgresql": "postgres:PostgreSQL",
    "postgres": "postgres:PostgreSQL",
    "sqlite": "sqlite:SQLite",
}
"""Each engine's module and class: it is imported, with its driver, where a database of its kind is opened."""


def read_address(url: str, key: str, variable: str = "") -> Address:
    """A database address; raises ConfigRefused without repeating what could be a password. `variable`: the
    environment variable that holds it, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError as error:  # a [ that begins no IPv6 address
        raise ConfigRefused(key, "its variable holds no database address", ENCODE) from error
    if parts.scheme not in DIALECTS:
        known = "mysql://user:password@host:3306/name, postgresql://... or sqlite:///file"
        raise ConfigRefused(key, "its variable holds no database address that is known", f"write {known}")
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigRefused(
            key, "the address has an impossible port", f"write host:3306, and {ENCODE}"
        ) from error
    if parts.scheme != "sqlite" and "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise ConfigRefused(key, "the address has an @ behind its host, in the database's name", ENCODE)
    name = unquote(parts.path[1:])
    if not name:
        raise ConfigRefused(key, "the address names no database", "end it with /name")
    return Address(
        parts.scheme,
        parts.hostname or "localhost",
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        name,
        any(one in "@:/?#[]%" for one in parts.password or ""),
        f"the environment variable {variable} ({key})" if variable else key,
    )


def open_dialect(address: Address, timeout_s: float, charset: str) -> Dialect:
    module, name = DIALECTS[address.scheme].split(":")
    dialect: type[Dialect] = getattr(importlib.import_module(f"connectors.dialects.{module}"), name)
    return dialect(address, timeout_s, charset)
