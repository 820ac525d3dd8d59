"""The verdict of the `jsonschema` library, the reference to which tests hold the fast validator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from ipaddress import IPv6Address
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from schemas import documents
from schemas.documents import Schema
from schemas.flaw import pointer_to
from schemas.formats import FAST_FORMATS

_URI_CHARS = r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:" + _URI_CHARS + "+")
_ADDRESS = re.compile(r"https?://\[([^\]]*)\]")


def reference_pointers(name: str, value: Any, version: int = 1) -> list[str]:
    """The pointers of every error, sorted, each once; missing and unknown members by their own pointer."""
    errors = _validator(name, version).iter_errors(value)
    return sorted({pointer_to(path) for error in errors for path in _paths(error)})


@cache
def _validator(name: str, version: int) -> Draft202012Validator:
    return Draft202012Validator(
        SCHEMAS[documents.path_of((name, version))], registry=_registry(), format_checker=_checker()
    )


@cache
def _registry() -> Registry[Schema]:
    resources = [(path, Resource.from_contents(schema)) for path, schema in SCHEMAS.items()]
    return Registry[Schema]().with_resources(resources).crawl()


@cache
def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, function in FORMATS.items():
        checker.checks(name)(function)
    return checker


def _paths(error: ValidationError) -> list[tuple[str | int, ...]]:
    at = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    if error.validator == "required":
        return [(*at, name) for name in wanted if name not in value]
    if error.validator == "additionalProperties":
        return [(*at, name) for name in _unknown(error.schema, value)]
    return [at]


def _unknown(schema: Any, instance: Mapping[str, Any]) -> list[str]:
    patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", {})]
    strange = [name for name in instance if name not in schema.get("properties", {})]
    return [name for name in strange if not any(pattern.search(name) for pattern in patterns)]


def with_python_patterns(node: Any) -> Any:
    """The schema with regular expressions that mean in Python's `re` what ECMA-262 says they mean.

    There `$` is the end of the text; in Python it matches before a final line break too.
    """
    if isinstance(node, list):
        return [with_python_patterns(item) for item in node]
    if not isinstance(node, dict):
        return node
    changed: Schema = {}
    for keyword, value in node.items():
        if keyword == "pattern" and isinstance(value, str):
            changed[keyword] = _python_pattern(value)
        elif keyword == "patternProperties":
            changed[keyword] = {
                _python_pattern(name): with_python_patterns(sub) for name, sub in value.items()
            }
        else:
            changed[keyword] = with_python_patterns(value)
    return changed


def _python_pattern(pattern: str) -> str:
    return pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern


def is_date_time(value: object) -> bool:
    """RFC 3339 date-time: a moment that exists in the calendar, with its offset."""
    try:
        return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def is_date(value: object) -> bool:
    """RFC 3339 full-date that exists in the calendar; MySQL's 0000-00-00 does not."""
    try:
        return not isinstance(value, str) or bool(date.fromisoformat(value))
    except ValueError:
        return False


def is_uri(value: object) -> bool:
    """RFC 3986 with a scheme; an address in brackets is an IPv6 address."""
    if not isinstance(value, str):
        return True
    address = _ADDRESS.match(value)
    return _URI.fullmatch(value) is not None and (address is None or _is_ipv6(address[1]))


def _is_ipv6(text: str) -> bool:
    try:
        return bool(IPv6Address(text).packed)
    except ValueError:
        return False


FORMATS = {**FAST_FORMATS, "date-time": is_date_time, "date": is_date, "uri": is_uri}
SCHEMAS: dict[str, Schema] = {
    documents.path_of(key): with_python_patterns(documents.parse(key, data))
    for key, data in documents.read_files().items()
}
