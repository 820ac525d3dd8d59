"""A complaint whose time only a spool knew that was lost: the time at which its row was first seen. The hub
has that time, and judges itself whether the rest is the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from connectors.mapping import TIME_UNKNOWN


def with_known_time(content: bytes, known: Mapping[str, Any], agency: str) -> bytes | None:
    """`content` with the time of `known`, the hub's complaint of the same reference; None where the app
    itself has a time for either."""
    document = orjson.loads(content)
    if not (_is_first_sight(document, agency) and _is_first_sight(known, agency)):
        return None
    return orjson.dumps(document | {"submitted_at": known["submitted_at"]})


def _is_first_sight(document: Mapping[str, Any], agency: str) -> bool:
    extras = document.get("extensions", {}).get(agency, {})
    return bool(extras.get(TIME_UNKNOWN))
