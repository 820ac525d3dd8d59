"""The caller's webhook and what came of its deliveries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer
from hub.api.context import Call
from hub.api.queries import Query, no_query
from hub.api.writes import id_of, idempotency_of, read_write
from hub.domain.events import TYPE_PREFIX, event_type
from hub.ports.webhooks import DELIVERY_STATES, DeliveryState
from hub.service.once import nothing

Act = Callable[[], Awaitable[dict[str, Any]]]
Again = Callable[[tuple[str, ...]], Awaitable[dict[str, Any]]]


async def put(call: Call) -> web.Response:
    call.require("webhook:write")
    write = await read_write(call, "webhook")
    body, desk = write.document, call.context.webhooks
    types, version = [_asked(name) for name in body["event_types"]], body.get("schema_version")

    async def act() -> dict[str, Any]:
        return await desk.put(call.agency, body["url"], types, version)

    return answer(await call.context.once.run(write.idempotency, act, lambda _: desk.get(call.agency)))


async def get(call: Call) -> web.Response:
    call.require("webhook:write")
    found = await call.context.webhooks.get(call.agency)
    no_query(call.request)
    return answer(found)


async def delete(call: Call) -> web.Response:
    call.require("webhook:write")
    desk = call.context.webhooks

    async def again(kept: tuple[str, ...]) -> dict[str, Any]:
        """The one that was removed; nothing else remembers it."""
        removed: dict[str, Any] = orjson.loads(kept[0])
        return removed

    return await _once(
        call, lambda: desk.delete(call.agency), again, lambda removed: (orjson.dumps(removed).decode(),)
    )


async def rotate_secret(call: Call) -> web.Response:
    call.require("webhook:write")
    desk = call.context.webhooks
    return await _once(call, lambda: desk.rotate_secret(call.agency), lambda _: desk.get(call.agency))


async def deliveries(call: Call) -> web.Response:
    call.require("deliveries:write")
    query = Query(call.request, ("state", "limit", "cursor"))
    chosen = query.some_of("state", DELIVERY_STATES)
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    states: list[DeliveryState] = [state for state in DELIVERY_STATES if state in chosen]
    scope = f"deliveries\n{call.agency}\n{states}"
    after = call.context.cursors.read(scope, cursor)
    items, last = await call.context.webhooks.deliveries(call.agency, states, after, limit)
    return answer({"items": items, "next": call.context.cursors.write(scope, last)})


async def redeliver(call: Call) -> web.Response:
    call.require("deliveries:write")
    delivery_id = id_of(call, "delivery")

    async def act() -> dict[str, Any]:
        # Done again under the same key it is the same delivery, due at once, under the same event id.
        return await call.context.webhooks.redeliver(call.agency, delivery_id)

    return await _once(call, act, lambda _: act())


def _asked(name: str) -> str:
    """`complaint.submitted` is short for `id.simpul.complaint.submitted.v1`; `*` is every type."""
    return name if name == "*" or name.startswith(TYPE_PREFIX) else event_type(name)


async def _once(
    call: Call, act: Act, again: Again, keep: Callable[[dict[str, Any]], tuple[str, ...]] = nothing
) -> web.Response:
    """A write whose body says nothing."""
    data = await bodies.read(call.request, call.context.settings.max_body_bytes)
    return answer(await call.context.once.run(idempotency_of(call, data), act, again, keep))
