"""A page of the mailbox, and whether it is one: many an address that is not the hub's answers JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from connectors.errors import HubAway
from connectors.events import is_event

HIGHEST: Final = 2**63 - 1
"""Positions are 64 bits, here and in the hub."""


def check_page(page: Mapping[str, Any]) -> None:
    """`{"items": [{"position": 1, "event": {…}}, …], "next": 1, "incarnation": "…"}`, as GET /v1/mailbox is
    documented. Raises HubAway that names the member."""
    if not isinstance(page.get("items"), list):
        raise _no_page("items", "a list")
    for place, item in enumerate(page["items"]):
        if not isinstance(item, dict) or not _is_position(item.get("position")):
            raise _no_page(f"items[{place}].position", "a number")
        if not is_event(item.get("event")):
            raise _no_page(f"items[{place}].event", "a CloudEvent with id, type, time and subject")
    if not _is_position(page.get("next")):
        raise _no_page("next", "a number")
    if not isinstance(page.get("incarnation", ""), str):
        raise _no_page("incarnation", "text")


def _is_position(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST


def _no_page(member: str, wanted: str) -> HubAway:
    return HubAway(f"the answer's {member} is not {wanted}; is hub.url the hub's address?")
