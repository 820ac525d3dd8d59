"""The verdict of the `jsonschema` library, the reference to which tests hold the fast validator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from schemas.documents import Schema, with_python_patterns
from schemas.flaw import pointer_to
from schemas.formats import REFERENCE_FORMATS


def pointers(schema: Schema, documents: Mapping[str, Schema], value: Any) -> list[str]:
    """The pointers of every error, sorted, each once; missing and unknown members by their own pointer."""
    resources = [
        (path, Resource.from_contents(with_python_patterns(other))) for path, other in documents.items()
    ]
    validator = Draft202012Validator(
        with_python_patterns(schema), registry=Registry().with_resources(resources), format_checker=_checker()
    )
    return sorted({pointer_to(path) for error in validator.iter_errors(value) for path in _paths(error)})


def _checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, function in REFERENCE_FORMATS.items():
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
