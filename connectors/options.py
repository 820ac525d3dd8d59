"""Reads TOML tables into dataclasses: unknown keys, wrong types and impossible values refuse the start.

Every key is a dataclass field made by `option(...)` with its reason and unit, so that the manual
(connectors/README.md) can be compared with the code.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from connectors.errors import ConfigRefused

T = TypeVar("T")

_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def option(
    default: Any = dataclasses.MISSING,
    *,
    reason: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """A key of the configuration; without `default` it must be given. Units stand in the key's name."""
    metadata = {"reason": reason, "minimum": minimum, "maximum": maximum, "choices": tuple(choices)}
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def beside(default: Any) -> Any:
    """What a configuration has beside its keys: nobody writes it in the file."""
    return dataclasses.field(default=default, metadata={"beside": True})


def read_table(cls: type[T], table: Mapping[str, Any], path: str = "") -> T:
    """One TOML table as `cls`; raises ConfigRefused naming the key and the remedy."""
    if not isinstance(table, Mapping):
        raise ConfigRefused(path, "must be a table", f"write it as [{path}]")
    fields = {item.name: item for item in _keys(cls)}
    _refuse_unknown(table, fields, path)
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for name, item in fields.items():
        key = _join(path, name)
        if name in table:
            values[name] = _convert(table[name], hints[name], key)
            _check_limits(values[name], item.metadata, key)
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise ConfigRefused(key, "is missing", item.metadata.get("reason") or "add this table")
    return cls(**values)


def keys_of(cls: type[Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Every dotted key that `cls` knows, with its reason; what the manual's tables are compared with."""
    hints = typing.get_type_hints(cls)
    for item in _keys(cls):
        inner = _inner_dataclass(hints[item.name])
        if inner is None:
            yield _join(path, item.name), item.metadata["reason"]
        else:
            yield from keys_of(inner, _join(path, item.name))


def _keys(cls: type[Any]) -> list[dataclasses.Field[Any]]:
    return [item for item in dataclasses.fields(cls) if not item.metadata.get("beside")]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _refuse_unknown(table: Mapping[str, Any], known: Mapping[str, Any], path: str) -> None:
    for name in table:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            remedy = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(known))}"
            raise ConfigRefused(_join(path, name), "is no key of this configuration", remedy)


def _inner_dataclass(hint: Any) -> type[Any] | None:
    candidates = typing.get_args(hint) if _is_union(hint) else (hint,)
    return next((c for c in candidates if dataclasses.is_dataclass(c) and isinstance(c, type)), None)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _convert(value: Any, hint: Any, key: str) -> Any:
    if hint is Any:
        return value
    if _is_union(hint):
        return _convert_union(value, hint, key)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return read_table(hint, value, key)
    origin = typing.get_origin(hint)
    if origin is list:
        return _convert_list(value, typing.get_args(hint)[0], key)
    if origin is dict:
        return _convert_dict(value, typing.get_args(hint)[1], key)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        quoted = (
            f', in quotes: "{value}", also for a number column' if hint is str and _is_number(value) else ""
        )
        raise ConfigRefused(key, f"is {value!r}", f"{_NAMES[hint]} is expected{quoted}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _convert_union(value: Any, hint: Any, key: str) -> Any:
    candidates = [c for c in typing.get_args(hint) if c is not type(None)]
    for candidate in candidates[:-1]:
        if type(value) is candidate:
            return value
    return _convert(value, candidates[-1], key)


def _convert_list(value: Any, inner: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigRefused(key, f"is {value!r}", 'a list is expected, such as ["a", "b"]')
    return [_convert(item, inner, f"{key}[{number}]") for number, item in enumerate(value)]


def _convert_dict(value: Any, inner: Any, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigRefused(key, f"is {value!r}", 'a table is expected, such as { "a" = "b" }')
    return {name: _convert(item, inner, _join(key, name)) for name, item in value.items()}


def _check_limits(value: Any, metadata: Mapping[str, Any], key: str) -> None:
    minimum, maximum, choices = (metadata.get(name) for name in ("minimum", "maximum", "choices"))
    if choices and value not in choices:
        raise ConfigRefused(key, f"is {value!r}", f"choose one of: {', '.join(choices)}")
    if minimum is not None and value < minimum:
        raise ConfigRefused(key, f"is {value!r}", f"{minimum:g} is the least")
    if maximum is not None and value > maximum:
        raise ConfigRefused(key, f"is {value!r}", f"{maximum:g} is the most")
