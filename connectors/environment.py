"""Every environment variable that a configuration names and nobody has set, at once."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

from connectors.config import Common, not_set
from connectors.errors import ConfigRefused


def require_variables(config: Common) -> None:
    """Refuses the start for all that are missing, in one line."""
    missing = _missing(config)
    if missing:
        said = [f"{key}: the environment variable {variable} is not set" for key, variable in missing]
        exports = " ".join(dict.fromkeys(f"{variable}=..." for _, variable in missing))
        raise ConfigRefused("", ", ".join(said), f"export {exports}")


def missing_variables(config: Common) -> list[str]:
    """One sentence each."""
    return [str(not_set(variable, key)) for key, variable in _missing(config)]


def missing_of_hub(config: Common) -> list[str]:
    """The variables with the hub's credentials that nobody has set."""
    return [variable for key, variable in _missing(config) if key.startswith("hub.")]


def _missing(config: Common) -> list[tuple[str, str]]:
    """(dotted key, variable)"""
    unneeded = {"hub.client_secret_env"} if config.hub.private_key_file else set()
    named = [pair for pair in _named(config, "") if pair[0] not in unneeded]
    return [(key, variable) for key, variable in named if not os.environ.get(variable)]


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
