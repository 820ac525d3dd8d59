"""The caller's webhook and what came of its deliveries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer
from hub.api.context import Call
from hub.api.queries import Query
from hub.api.writes import id_of, idempotency_of, read_write
from hub.domain.events import TYPE_PREFIX
from hub.errors import NotFound
from hub.ports.webhooks import DELIVERY_STATES, DeliveryState

Act = Callable[[], Awaitable[dict[str, Any]]]


async def put(call: Call) -> web.Response:
    call.require("webhook:write")
    write = await read_write(call, "webhook")
    body, desk = write.document, call.context.webhooks
    types, version = [full_type(name) for name in body["event_types"]], body.get("schema_version")

    async def act() -> dict[str, Any]:
        return await desk.put(call.agency, body["url"], types, version)

    return answer(await call.context.once.run(write.idempotency, act, lambda: desk.get(call.agency)))


async def get(call: Call) -> web.Response:
    call.require("webhook:write")
    return answer(await call.context.webhooks.get(call.agency))


async def delete(call: Call) -> web.Response:
    call.require("webhook:write")
    desk = call.context.webhooks

    async def again() -> dict[str, Any]:
        """It is gone by then, unless it was made anew."""
        try:
            return await desk.get(call.agency)
        except NotFound:
            raise NotFound("The webhook was removed before, by this same request.") from None

    return await _once(call, lambda: desk.delete(call.agency), again)


async def rotate_secret(call: Call) -> web.Response:
    call.require("webhook:write")
    desk = call.context.webhooks
    return await _once(call, lambda: desk.rotate_secret(call.agency), lambda: desk.get(call.agency))


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

    return await _once(call, act, act)


def full_type(name: str) -> str:
    """`complaint.submitted` is short for `id.simpul.complaint.submitted.v1`."""
    return name if name == "*" or name.startswith(TYPE_PREFIX) else f"{TYPE_PREFIX}{name}.v1"


async def _once(call: Call, act: Act, again: Act) -> web.Response:
    """A write whose body says nothing."""
    data = await bodies.read(call.request, call.context.settings.max_body_bytes)
    return answer(await call.context.once.run(idempotency_of(call, data), act, again))
