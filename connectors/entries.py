"""One complaint as the spool remembers it, and a row of the app as the spool first meets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

COLUMNS = (
    "reference, source_key, state, content, photos, attempted, reason, case_id, row_hash, mapped_by, "
    "first_seen, changed_later, status_written, route, route_state, route_reason, status_sequence, failures, "
    "where_written"
)
"""In the order of Entry's fields."""


@dataclass(frozen=True)
class Entry:
    """One complaint as the spool remembers it."""

    reference: str
    source_key: str
    state: str
    content: bytes | None
    photos: list[dict[str, Any]]
    attempted: bool
    reason: str | None
    case_id: str | None
    row_hash: bytes
    mapped_by: bytes
    first_seen: str
    changed_later: bool
    status_written: str | None
    route: list[str]
    route_state: str
    route_reason: str | None
    status_sequence: int | None
    failures: int
    where_written: str | None
    """What was written of where the case is (whereabouts.py), as JSON; None where nothing was."""


@dataclass(frozen=True)
class Seen:
    """A row of the app that is new to the spool or mapped again."""

    reference: str
    source_key: str
    row_hash: bytes
    mapped_by: bytes
    first_seen: str


def entry_of(row: Sequence[Any]) -> Entry:
    """From a row of COLUMNS."""
    values = list(row)
    values[4] = orjson.loads(values[4]) if values[4] else []
    values[5], values[11] = bool(values[5]), bool(values[11])
    values[13] = orjson.loads(values[13]) if values[13] else []
    return Entry(*values)
