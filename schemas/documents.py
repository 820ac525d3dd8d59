"""Reads the schema files of this package and makes the forms that validators and OpenAPI need of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

Schema = dict[str, Any]
Key = tuple[str, int]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PACKAGE = Path(__file__).parent
_ANNOTATIONS = frozenset({"title", "description", "examples", "default", "deprecated", "$comment"})
_VERSION_FILE = re.compile(r"[1-9][0-9]*\.json")


class SchemaFileWrong(Exception):
    """A schema file of this package is not what its place says; the message names the file."""


def path_of(key: Key) -> str:
    """Where the hub serves the schema, which is its `$id` as well."""
    return f"/schemas/{key[0]}/{key[1]}.json"


def read_files(root: Path = PACKAGE) -> dict[Key, bytes]:
    """Every `<name>/<version>.json` under `root`, as its bytes."""
    files = (file for file in root.glob("*/*.json") if _VERSION_FILE.fullmatch(file.name))
    return {(file.parent.name, int(file.stem)): file.read_bytes() for file in sorted(files)}


def parse(key: Key, data: bytes) -> Schema:
    """The schema in one file. Raises SchemaFileWrong when `$id` or `$schema` contradicts its place."""
    schema: Schema = orjson.loads(data)
    for keyword, expected in (("$schema", DIALECT), ("$id", path_of(key))):
        if schema.get(keyword) != expected:
            raise SchemaFileWrong(f"schemas{path_of(key)[8:]}: {keyword} must be {expected}")
    return schema


def inline(schema: Schema, documents: Mapping[str, Schema]) -> Schema:
    """The schema with every `$ref` replaced by its target, so that it stands alone (OpenAPI, hot path).

    `documents` maps a path such as `/schemas/definitions/1.json` to its schema. Raises SchemaFileWrong when
    a `$ref` names nothing, leads back to itself, or has a neighbour that the target states differently.
    """
    plain: Schema = _inlined(_bare(schema), documents, ())
    return plain


def _inlined(node: Any, documents: Mapping[str, Schema], trail: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inlined(item, documents, trail) for item in node]
    if not isinstance(node, dict):
        return node
    rest = {
        keyword: _inlined(value, documents, trail) for keyword, value in node.items() if keyword != "$ref"
    }
    target = node.get("$ref")
    if not isinstance(target, str):
        return rest
    if target in trail:
        raise SchemaFileWrong(f"{target} leads back to itself")
    found = _inlined(_resolve(target, documents), documents, (*trail, target))
    return _merged(target, found, rest)


def _merged(target: str, found: Schema, rest: Schema) -> Schema:
    clash = (found.keys() & rest.keys()) - _ANNOTATIONS
    if clash:
        raise SchemaFileWrong(f"{', '.join(sorted(clash))} stands beside $ref {target}, which has its own")
    return {**found, **rest}


def _resolve(target: str, documents: Mapping[str, Schema]) -> Schema:
    path, _, fragment = target.partition("#")
    node: Any = documents.get(path)
    for token in fragment.split("/")[1:]:
        node = node.get(token) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        raise SchemaFileWrong(f"$ref {target} names nothing (write it whole: /schemas/NAME/1.json#/$defs/X)")
    return node if fragment else _bare(node)


def _bare(schema: Schema) -> Schema:
    return {keyword: value for keyword, value in schema.items() if keyword not in ("$id", "$schema", "$defs")}
