"""Loads the shared schemas, checks them against the meta-schema, validates documents, explains refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from schemas import bounds, documents, explain
from schemas.documents import Key, Schema
from schemas.flaw import Flaw, field_name, pointer_to
from schemas.formats import FAST_FORMATS

MOST_FLAWS = 20
"""Nobody mends more than this at once; the rest shows on the next attempt."""


class UnknownSchema(LookupError):
    """No schema of that name and version is in this package; the message names both."""


@dataclass(frozen=True, slots=True)
class _Entry:
    data: bytes
    schema: Schema
    inlined: Schema
    fast: jsonschema_rs.Draft202012Validator
    limits: bounds.Limits


class Registry:
    """Every schema of the package, compiled. Build one at start with `load()`; it is read-only."""

    def __init__(self, files: Mapping[Key, bytes], root: Path = documents.PACKAGE) -> None:
        """`files` maps (name, version) to a schema file's bytes. Raises SchemaFileWrong, naming the file."""
        schemas = {key: documents.parse(key, data) for key, data in files.items()}
        self._root = root
        self._documents = {documents.path_of(key): schema for key, schema in schemas.items()}
        self._entries = {key: self._compiled(key, files[key], schema) for key, schema in schemas.items()}
        self._fast = {key: entry.fast.is_valid for key, entry in self._entries.items()}

    @classmethod
    @cache
    def load(cls) -> Registry:
        """The schemas of this package, read and checked once in a process."""
        return cls(documents.read_files())

    def validate(self, name: str, document: Any, version: int = 1) -> list[Flaw]:
        """What is wrong with `document`, at most MOST_FLAWS; an empty list when it fits.

        A missing or unknown member is named by its own pointer. `document` is what a JSON parser gives; what
        the schema leaves open (an agency's extras) is not looked at. Raises UnknownSchema.
        """
        is_valid = self._fast.get((name, version))
        try:
            if is_valid and is_valid(document):
                return []
            return self._explained(self._entry(name, version), document)
        except UnicodeEncodeError:
            return _surrogate_flaws(document)

    def names(self) -> list[Key]:
        """(name, version) of every schema, sorted."""
        return sorted(self._entries)

    def document(self, name: str, version: int = 1) -> bytes:
        """The schema file as the hub serves it. Raises UnknownSchema."""
        return self._entry(name, version).data

    def schema(self, name: str, version: int = 1) -> Schema:
        """The schema as it is written, with its `$ref`s to `/schemas/...`. Not to be changed."""
        return self._entry(name, version).schema

    def inlined(self, name: str, version: int = 1) -> Schema:
        """The schema without `$id`, `$schema` and `$ref`, to stand alone. Not to be changed."""
        return self._entry(name, version).inlined

    def example(self, name: str) -> Any:
        """The first valid example of a schema, for documentation. Raises UnknownSchema when it has none."""
        files = sorted((self._root / name / "examples").glob("valid-*.json"))
        if not files:
            raise UnknownSchema(f"there is no example of {name}")
        return orjson.loads(files[0].read_bytes())

    def _entry(self, name: str, version: int) -> _Entry:
        try:
            return self._entries[name, version]
        except KeyError:
            raise UnknownSchema(f"there is no schema {name}, version {version}") from None

    def _compiled(self, key: Key, data: bytes, schema: Schema) -> _Entry:
        try:
            jsonschema_rs.meta.validate(schema)  # the reference, in tests, takes 150 times as long
            inlined = documents.inline(schema, self._documents)
        except (jsonschema_rs.ValidationError, documents.SchemaFileWrong) as wrong:
            raise documents.SchemaFileWrong(f"{documents.path_of(key)[1:]}: {wrong}") from wrong
        fast = jsonschema_rs.Draft202012Validator(
            inlined, formats=FAST_FORMATS, validate_formats=True, ignore_unknown_formats=False
        )
        return _Entry(data, schema, inlined, fast, bounds.size_limits(inlined))

    def _explained(self, entry: _Entry, document: Any) -> list[Flaw]:
        searched = bounds.trimmed(document, entry.limits)
        errors = entry.fast.iter_errors(searched)
        found = explain.flaws(errors, entry.inlined, document, MOST_FLAWS)
        return found or [
            Flaw("", "the document is too large or too deep to say where it is wrong. Send less.")
        ]


def _surrogate_flaws(document: Any) -> list[Flaw]:
    places = bounds.surrogates(document)[:MOST_FLAWS] or [()]
    wrong = "holds half of a UTF-16 character pair (a lone surrogate). Send text as UTF-8."
    return [Flaw(pointer_to(path), f"{field_name(path)} {wrong}") for path in places]
