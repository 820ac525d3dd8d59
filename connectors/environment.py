"""Every environment variable that a configuration names and nobody has set, at once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

from connectors.config import Common, not_set


def missing_variables(config: Common) -> list[str]:
    """One sentence each, as `run` would say it of the first."""
    unneeded = {"hub.client_secret_env"} if config.hub.private_key_file else set()
    named = [pair for pair in _named(config, "") if pair[0] not in unneeded]
    return [str(not_set(variable, key)) for key, variable in named if not os.environ.get(variable)]


def _named(table: Any, path: str) -> Iterator[tuple[str, str]]:
    """(dotted key, variable) of every key that ends in _env or _envs."""
    for item in dataclasses.fields(table):
        key, value = path + item.name, getattr(table, item.name)
        if dataclasses.is_dataclass(value):
            yield from _named(value, key + ".")
        elif item.name.endswith(("_env", "_envs")):
            yield from ((key, variable) for variable in _variables(value))


def _variables(value: Any) -> list[str]:
    if isinstance(value, dict):
        return list(value.values())
    return [value] if isinstance(value, str) else list(value)
