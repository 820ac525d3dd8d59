"""What several parts of a connector read of the hub in the same way. Each raises HubAway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.errors import HubRefused
from connectors.hub_client import HubClient

Case = Mapping[str, Any]
PAGE = 200


async def shown_case(hub: HubClient, case_id: str) -> Case | None:
    """The case as the hub shows it to this agency; None where it does not."""
    try:
        return await hub.case(case_id)
    except HubRefused as problem:
        if problem.status in (404, 410):
            return None
        raise


async def listed(hub: HubClient, path: str) -> AsyncIterator[dict[str, Any]]:
    """Every item of one of the hub's lists, a page at a time. `path` may have a query."""
    first = f"{path}{'&' if '?' in path else '?'}limit={PAGE}"
    more = ""
    while True:
        page = await hub.listing(first + more)
        for item in page["items"]:
            yield item
        if not page.get("next"):
            return
        more = f"&cursor={quote(str(page['next']))}"


async def incarnation(hub: HubClient, after: int = 0) -> str:
    """What a restore of the hub changes; `after` is a position in the mailbox, of which nothing is taken.
    Raises HubRefused where this client may not read its mailbox."""
    try:
        page = await hub.mailbox(after, 1, 0)
    except HubRefused as problem:
        page = await hub.mailbox(kept_after(problem), 1, 0)
    return str(page.get("incarnation", ""))


def kept_after(problem: HubRefused) -> int:
    """410: the hub trimmed the front of the mailbox, and keeps what is after this position. Raises any other
    refusal."""
    if problem.status != 410 or problem.first is None:
        raise problem
    return problem.first - 1
