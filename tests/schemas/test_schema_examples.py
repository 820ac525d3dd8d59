"""Every example, both ways, by both validators; and the form of the schemas themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas import documents
from schemas.registry import Registry, UnknownSchema
from tests.schemas.reference import reference_pointers

SCHEMAS = Path(__file__).parents[2] / "schemas"
Example = tuple[str, Path]


def test_a_valid_example_fits(registry: Registry, valid_example: Example) -> None:
    name, file = valid_example
    document = orjson.loads(file.read_bytes())
    assert registry.validate(name, document) == []
    assert reference_pointers(name, document) == []


def test_an_invalid_example_is_refused_at_its_pointer(registry: Registry, invalid_example: Example) -> None:
    name, file = invalid_example
    example = orjson.loads(file.read_bytes())
    assert example.keys() == {"pointer", "why", "document"}
    found = [flaw.pointer for flaw in registry.validate(name, example["document"])]
    assert found == [example["pointer"]]
    assert reference_pointers(name, example["document"]) == [example["pointer"]]


def test_every_schema_has_examples_of_both_kinds(registry: Registry) -> None:
    for name, _ in registry.names():
        if name != "definitions":
            folder = SCHEMAS / name / "examples"
            assert list(folder.glob("valid-*.json")), name
            assert list(folder.glob("invalid-*.json")), name
            assert registry.validate(name, registry.example(name)) == []


def test_every_folder_of_examples_belongs_to_a_schema(registry: Registry) -> None:
    folders = {file.parts[-3] for file in SCHEMAS.glob("*/examples/*.json")}
    assert folders <= {name for name, _ in registry.names()}


def test_schemas_fit_the_meta_schema_and_serve_the_bytes_of_their_file(registry: Registry) -> None:
    for name, version in registry.names():
        data = registry.document(name, version)
        assert data == (SCHEMAS / name / f"{version}.json").read_bytes()
        Draft202012Validator.check_schema(orjson.loads(data))
        Draft202012Validator.check_schema(registry.inlined(name, version))
        assert registry.schema(name, version)["$id"] == f"/schemas/{name}/{version}.json"


def test_inlined_schemas_stand_alone(registry: Registry) -> None:
    for name, version in registry.names():
        assert b'"$ref"' not in orjson.dumps(registry.inlined(name, version))


def test_every_property_says_what_would_be_right(registry: Registry) -> None:
    """The description is the remedy in an error sentence, and must read well after "Write "."""
    for name, version in registry.names():
        for path, subschema in _properties(registry.inlined(name, version)):
            description = subschema.get("description", "")
            assert description, f"{name}: {path} has no description"
            assert not description.endswith("."), f"{name}: {path}"


def test_no_event_has_room_for_a_reporter(registry: Registry) -> None:
    events = [name for name, _ in registry.names() if "." in name]
    assert len(events) == 42
    for name in events:
        assert "reporter" not in [path for path, _ in _properties(registry.inlined(name))], name


def test_an_unknown_schema_is_named(registry: Registry) -> None:
    with pytest.raises(UnknownSchema, match=r"laporan, version 1"):
        registry.validate("laporan", {})
    with pytest.raises(UnknownSchema, match=r"complaint, version 2"):
        registry.document("complaint", 2)
    with pytest.raises(UnknownSchema, match="no example of definitions"):
        registry.example("definitions")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"$id": "/schemas/other/1.json"}, r"\$id must be /schemas/thing/1.json"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, r"\$schema must be"),
        ({"type": "strnig"}, r"schemas/thing/1.json: .*strnig"),
        ({"$ref": "/schemas/thing/1.json#/$defs/none"}, "names nothing"),
        (
            {
                "$defs": {"a": {"$ref": "/schemas/thing/1.json#/$defs/a"}},
                "$ref": "/schemas/thing/1.json#/$defs/a",
            },
            "itself",
        ),
        (
            {"$defs": {"a": {"type": "string"}}, "$ref": "/schemas/thing/1.json#/$defs/a", "type": "object"},
            "its own",
        ),
    ],
)
def test_a_wrong_schema_file_is_refused_by_name(schema: dict[str, Any], message: str) -> None:
    whole = {"$schema": documents.DIALECT, "$id": "/schemas/thing/1.json", **schema}
    with pytest.raises(documents.SchemaFileWrong, match=message):
        Registry({("thing", 1): orjson.dumps(whole)}).checked()


def _properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, subschema) of every property that a schema describes by itself, not in a condition."""
    if not isinstance(node, dict):
        return
    for name, subschema in node.get("properties", {}).items():
        if node.get("additionalProperties") is False:
            yield name, subschema
        yield from _properties(subschema, name)
    for keyword in ("items", "else"):
        yield from _properties(node.get(keyword), path)
