"""Is it alive, can it commit, how is it doing: no token needed, nothing personal inside."""

from __future__ import annotations

from aiohttp import web

from hub.api.answers import answer, raw
from hub.api.context import Call


async def healthz(call: Call) -> web.Response:
    """The event loop turns."""
    return answer({"status": "ok"})


async def readyz(call: Call) -> web.Response:
    """200 while this process can commit, else 503."""
    ready, document = call.context.readiness()
    return answer(document, 200 if ready else 503, None if ready else {"Retry-After": "5"})


async def metrics(call: Call) -> web.Response:
    exposed = call.context.metrics
    return raw(exposed.exposition(), exposed.media_type)
