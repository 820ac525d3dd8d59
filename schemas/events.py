"""How an event's type, its data's schema and the address of that schema are written."""

from __future__ import annotations

import re

from schemas.documents import Key, path_of

_TYPE = re.compile(r"id\.simpul\.([a-z_]+\.[a-z_]+)\.v([1-9][0-9]{0,8})", re.ASCII)


def event_type(name: str, version: int = 1) -> str:
    """`id.simpul.complaint.submitted.v1` for `complaint.submitted`."""
    return f"id.simpul.{name}.v{version}"


def schema_of(event_type: str) -> Key:
    """(`complaint.submitted`, 1) for `id.simpul.complaint.submitted.v1`. Raises ValueError otherwise."""
    match = _TYPE.fullmatch(event_type)
    if match is None:
        raise ValueError(f"{event_type[:60]!r} is not an event type such as id.simpul.complaint.submitted.v1")
    return match[1], int(match[2])


def dataschema(public_url: str, name: str, version: int = 1) -> str:
    """The CloudEvents `dataschema` of an event: where the hub serves the schema of its data."""
    return public_url.rstrip("/") + path_of((name, version))
