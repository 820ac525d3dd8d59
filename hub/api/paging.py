"""Pages of a list that is in memory anyway."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from hub.api.context import Call
from hub.api.queries import Query


def page_of(call: Call, name: str, keys: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """The page of sorted `keys` that `limit` and `cursor` ask for, and the cursor of the next one."""
    query = Query(call.request, ("limit", "cursor"))
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    return cut(call, name, keys, limit, cursor)


def cut(
    call: Call, scope: str, keys: Sequence[str], limit: int, cursor: str | None
) -> tuple[Sequence[str], str | None]:
    after = call.context.cursors.read(scope, cursor)
    start = bisect_right(keys, after[0]) if after else 0
    found = keys[start : start + limit]
    more = start + limit < len(keys)
    return found, call.context.cursors.write(scope, (found[-1],) if more else None)
