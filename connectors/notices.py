"""Events on which the connector itself must act, before or instead of handing them over."""

from __future__ import annotations

from typing import Any

from connectors.applying import Handler
from connectors.erasing import Eraser
from connectors.events import ERASED, HANDED_OVER, short_type
from connectors.succession import Succession


def noticing(eraser: Eraser, succession: Succession, handle: Handler) -> Handler:
    """The handler of the inbox: `handle` gets what the agency wants, these two what concerns them."""

    async def handling(event: dict[str, Any]) -> str:
        kind = short_type(event)
        if kind == ERASED:
            return await eraser.handle(event)
        if kind == HANDED_OVER and "case_id" in event.get("data", {}):
            return await succession.handle(event)
        return await handle(event)

    return handling
