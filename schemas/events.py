"""How an event's type, and the address of the schema of its data, are written and read."""

from __future__ import annotations

from schemas.documents import path_of

_PREFIX, _SUFFIX = "id.simpul.", ".v1"


def event_type(name: str) -> str:
    """The CloudEvents `type`: `id.simpul.complaint.submitted.v1` for `complaint.submitted`."""
    return f"{_PREFIX}{name}{_SUFFIX}"


def name_of(written: str) -> str:
    """`complaint.submitted` for `id.simpul.complaint.submitted.v1`; what is no type of the hub's stays."""
    return written.removeprefix(_PREFIX).removesuffix(_SUFFIX)


def dataschema(public_url: str, name: str) -> str:
    """The CloudEvents `dataschema` of an event: where the hub serves the schema of its data."""
    return public_url.rstrip("/") + path_of((name, 1))
