"""Turns validator errors into sentences: the field, what was wrong, what would be right.

A sentence travels to logs and to strangers' screens. So it repeats a value only where the field holds a code
or a date, never from under `reporter` and never free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

import orjson
from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

from schemas.documents import Schema
from schemas.flaw import Flaw, field_name, pointer_to, printable
from schemas.moments import looks_like_a_time

Path = tuple[str | int, ...]

_SHOWN = frozenset(
    {"active", "agency", "anonymous", "category", "channel", "classification", "confidential", "decision"}
    | {"due_at", "due_on", "history", "kind", "media_type", "occurred_on", "parent", "position", "region"}
    | {"relation", "reporter_agrees", "role", "scope", "size", "state", "status", "submitted_at"}
    | {"suggested_agency", "time_zone"}
    | {"type", "version"}
)
"""Members whose values are codes, dates and switches: these may be repeated in a sentence."""
_TIMES = frozenset({"due_at", "due_on", "occurred_on", "submitted_at"})
_CODE_LIKE = re.compile(r"[A-Za-z0-9_.:+/-]{1,60}", re.ASCII)
_LONG_NUMBER = re.compile(r"[0-9]{11}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")
_TYPES = {
    "string": "a text in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object in braces",
    "array": "a list in square brackets",
    "null": "null",
}


def flaws(errors: Iterable[ValidationError], schema: Schema, document: Any, most: int) -> list[Flaw]:
    """At most `most` flaws, each place once or more but no sentence twice.

    `schema` is the inlined schema that found the errors, `document` what was sent, whole.
    """
    found: dict[Flaw, None] = {}
    for error in errors:
        for flaw in _flaws_of(error, schema, document):
            found.setdefault(flaw)
            if len(found) == most:
                return list(found)
    return list(found)


def shown(path: Path, value: Any) -> str:
    """` is "x"` where the value may be repeated, else an empty text."""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if name not in _SHOWN or "reporter" in path or isinstance(value, dict | list):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not (_is_code(text) or (name in _TIMES and looks_like_a_time(text))):
        return ""
    return f' is "{text}"' if isinstance(value, str) else f" is {text}"


def _is_code(text: str) -> bool:
    return _CODE_LIKE.fullmatch(text) is not None and _LONG_NUMBER.search(text) is None


def lookup(document: Any, path: Iterable[str | int]) -> Any:
    """What stands at `path`, or None when nothing does."""
    for part in path:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _flaws_of(error: ValidationError, schema: Schema, document: Any) -> Iterator[Flaw]:
    path: Path = tuple(error.instance_path)
    around = _lookup_schema(schema, error.schema_path[:-1])
    match error.kind:
        case Kind.Required(property=name):
            yield _missing(path, name, around)
        case Kind.AdditionalProperties(unexpected=names):
            for name in names:
                yield _unknown(path, name, around)
        case _:
            value = lookup(document, path)
            yield Flaw(pointer_to(path), f"{field_name(path)}{_sentence(error, path, value, around)}")


def _lookup_schema(schema: Schema, path: Iterable[str | int]) -> Schema:
    found = lookup(schema, path)
    return found if isinstance(found, dict) else {}


def _missing(path: Path, name: str, around: Schema) -> Flaw:
    place = (*path, name)
    right = _described(lookup(around, ("properties", name)))
    remedy = f"Add it: {right}." if right else "Add it."
    return Flaw(pointer_to(place), f"{field_name(place)} is missing. {remedy}")


def _described(member: Any) -> str:
    """The member's description, after the words that may stand there where it does not name them itself."""
    if not isinstance(member, dict):
        return ""
    description = member.get("description", "")
    options = [str(option) for option in member.get("enum", ()) if option is not None]
    if all(option in description for option in options):
        return str(description)
    return f"{_either(options)} ({description})" if description else _either(options)


def _either(options: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(options[:-1]), options[-1])))


def _unknown(path: Path, name: str, around: Schema) -> Flaw:
    place = (*path, name)
    known = around.get("properties", {})
    if not known and "patternProperties" in around:
        return Flaw(pointer_to(place), f"{field_name(place)} cannot stand here. Write {_right(around)}.")
    close = get_close_matches(name[:64], known, n=1)
    remedy = f"Did you mean {close[0]}?" if close else f"Remove it{_elsewhere(known)}."
    return Flaw(pointer_to(place), f"{field_name(place)} is not a field of this document. {remedy}")


def _elsewhere(known: Iterable[str]) -> str:
    return ', or put it under extensions {"<your agency>": {...}}' if "extensions" in known else ""


def _sentence(error: ValidationError, path: Path, value: Any, around: Schema) -> str:
    right = _right(around)
    match error.kind:
        case Kind.Type(types=types) if not path:
            return f"{_is_a(path, value)}; it must be {_one_of(types)}."
        case Kind.Type(types=types):
            return f"{_is_a(path, value)}; it must be {_one_of(types)}. Write {right}."
        case Kind.Enum(options=options):
            wrong = shown(path, value) or " is not one of the codes"
            return f"{wrong}; it must be one of: {_words(options)}."
        case Kind.Constant(expected_value=expected):
            return f"{shown(path, value) or ' is wrong'}; it must be {_json_word(expected)}. Write {right}."
        case Kind.Pattern() if isinstance(value, str) and (control := _CONTROL.search(value)):
            return _control_sentence(value, control)
        case Kind.Pattern() | Kind.Format():
            seen = shown(path, value)
            return f"{seen + ', which' if seen else ''} {_form(around)}. Write {right}."
        case _:
            return _limit_sentence(error.kind, path, value) or f" does not fit. Write {right}."


def _limit_sentence(kind: Kind, path: Path, value: Any) -> str:
    match kind:
        case Kind.MaxLength(limit=most):
            return f" is {len(value):,} characters long; at most {most:,} are allowed. Shorten it."
        case Kind.MinLength(limit=least):
            remedy = "Write more." if value else "Fill it in."
            return f" is {len(value):,} characters long; at least {least:,} must stand there. {remedy}"
        case Kind.MaxItems(limit=most):
            return f" holds {len(value):,} entries; at most {most:,} are allowed. Send fewer."
        case Kind.MinItems(limit=least):
            return f" holds {len(value):,} entries; at least {least:,} must stand there. Add what is missing."
        case Kind.UniqueItems():
            return " names something more than once. Name each once."
        case Kind.MaxProperties(limit=most):
            return f" holds {len(value):,} fields; at most {most:,} are allowed. Remove some."
        case Kind.MinProperties(limit=least):
            return f" holds {len(value):,} fields; at least {least:,} must stand there. Say what to change."
        case Kind.Maximum(limit=most):
            return (
                f"{shown(path, value) or ' is too large'}; at most {most} is allowed. Write a smaller number."
            )
        case Kind.Minimum(limit=least):
            return (
                f"{shown(path, value) or ' is too small'}; at least {least} is needed. Write a larger number."
            )
    return ""


def _control_sentence(value: str, control: re.Match[str]) -> str:
    at, code = control.start() + 1, ord(control[0])
    return (
        f" holds the control character U+{code:04X} (character {at:,} of {len(value):,}); "
        "of these only line break and tab are allowed. Remove it."
    )


def _form(around: Schema) -> str:
    name = around.get("format")
    return f"is not a valid {name}" if name else "does not have the right form"


def _right(around: Schema) -> str:
    description = around.get("description")
    return description if isinstance(description, str) else "what the schema describes"


def _is_a(path: Path, value: Any) -> str:
    return shown(path, value) or f" is {_TYPES[_type_of(value)]}"


def _type_of(value: Any) -> str:
    python = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"))
    containers = ((dict, "object"), (list, "array"))
    return next((name for kind, name in python + containers if isinstance(value, kind)), "null")


def _one_of(types: Iterable[str]) -> str:
    return " or ".join(_TYPES[name] for name in types)


def _words(options: Iterable[Any]) -> str:
    return ", ".join(str(option) for option in options)


def _json_word(value: Any) -> str:
    if isinstance(value, str):
        return f'"{printable(value)}"'
    return orjson.dumps(value).decode()
