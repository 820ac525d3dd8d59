"""Loads the shared schemas, checks them against the meta-schema, validates documents, explains refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import jsonschema_rs
import orjson

from schemas import bounds, documents, explain
from schemas.documents import Key, Schema
from schemas.flaw import Flaw, field_name, pointer_to
from schemas.formats import FAST_FORMATS

Found = TypeVar("Found")
MOST_FLAWS = 20
"""Nobody mends more than this at once; the rest shows on the next attempt."""


class UnknownSchema(LookupError):
    """No schema of that name and version is in this package; the message names both."""


@dataclass(frozen=True, slots=True)
class _Entry:
    inlined: Schema
    fast: jsonschema_rs.Draft202012Validator
    limits: bounds.Limits


class Registry:
    """Every schema of the package, each compiled when it is first asked for: no process needs all of them,
    and together they take a fifth of a second of its start. Build one with `load()`; it is read-only."""

    def __init__(self, files: Mapping[Key, bytes], root: Path = documents.PACKAGE) -> None:
        """`files` maps (name, version) to a schema file's bytes. Raises SchemaFileWrong, naming the file, for
        one in the wrong place; for one that says what it must not, whatever asks for it first does."""
        self._files = files
        self._root = root
        self._schemas = {key: documents.parse(key, data) for key, data in files.items()}
        self._documents = {documents.path_of(key): schema for key, schema in self._schemas.items()}
        self._entries: dict[Key, _Entry] = {}
        self._fast: dict[Key, Callable[[Any], bool]] = {}

    @classmethod
    @cache
    def load(cls) -> Registry:
        """The schemas of this package, read once in a process."""
        return cls(documents.read_files())

    def checked(self) -> Registry:
        """The same, with every schema compiled. Raises SchemaFileWrong, naming the first that is wrong."""
        for name, version in self._schemas:
            self._entry(name, version)
        return self

    def validate(self, name: str, document: Any, version: int = 1) -> list[Flaw]:
        """What is wrong with `document`, at most MOST_FLAWS; an empty list when it fits.

        A missing or unknown member is named by its own pointer. `document` is what a JSON parser gives; what
        the schema leaves open (an agency's extras) is not looked at. Raises UnknownSchema.
        """
        is_valid = self._fast.get((name, version)) or self._entry(name, version).fast.is_valid
        try:
            return [] if is_valid(document) else self._explained(self._entry(name, version), document)
        except UnicodeEncodeError:
            return _surrogate_flaws(document)

    def names(self) -> list[Key]:
        """(name, version) of every schema, sorted."""
        return sorted(self._schemas)

    def document(self, name: str, version: int = 1) -> bytes:
        """The schema file as the hub serves it. Raises UnknownSchema."""
        return self._known(self._files, name, version)

    def schema(self, name: str, version: int = 1) -> Schema:
        """The schema as it is written, with its `$ref`s to `/schemas/...`. Not to be changed."""
        return self._known(self._schemas, name, version)

    def inlined(self, name: str, version: int = 1) -> Schema:
        """The schema without `$id`, `$schema` and `$ref`, to stand alone. Not to be changed."""
        return self._entry(name, version).inlined

    def example(self, name: str) -> Any:
        """The first valid example of a schema, for documentation. Raises UnknownSchema when it has none."""
        files = sorted((self._root / name / "examples").glob("valid-*.json"))
        if not files:
            raise UnknownSchema(f"there is no example of {name}")
        return orjson.loads(files[0].read_bytes())

    @staticmethod
    def _known(found: Mapping[Key, Found], name: str, version: int) -> Found:
        try:
            return found[name, version]
        except KeyError:
            raise UnknownSchema(f"there is no schema {name}, version {version}") from None

    def _entry(self, name: str, version: int) -> _Entry:
        """Two threads may both compile one: what they make is equal."""
        entry = self._entries.get((name, version))
        if entry is None:
            entry = self._compiled((name, version), self.schema(name, version))
            self._entries[name, version] = entry
            self._fast[name, version] = entry.fast.is_valid
        return entry

    def _compiled(self, key: Key, schema: Schema) -> _Entry:
        try:
            jsonschema_rs.meta.validate(schema)  # the reference, in tests, takes 150 times as long
            inlined = documents.inline(schema, self._documents)
        except (jsonschema_rs.ValidationError, documents.SchemaFileWrong) as wrong:
            raise documents.SchemaFileWrong(f"{documents.path_of(key)[1:]}: {wrong}") from wrong
        fast = jsonschema_rs.Draft202012Validator(
            inlined, formats=FAST_FORMATS, validate_formats=True, ignore_unknown_formats=False
        )
        return _Entry(inlined, fast, bounds.size_limits(inlined))

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
