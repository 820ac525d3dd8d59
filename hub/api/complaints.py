"""`POST /v1/complaints`: the first step of a complaint's path through the hub."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer, etag
from hub.api.context import Call
from hub.api.writes import case_after, idempotency_of
from hub.service.requests import Outcome
from hub.service.views import case_view


async def submit(call: Call) -> web.Response:
    """201 with the case; 200 with the same case for the same reference and content."""
    call.hub.desk.require_scope(call.principal)
    data, document = await bodies.read_json(call.request, call.context.settings.max_body_bytes)
    outcome = await call.hub.submit(call.principal, document, idempotency_of(call, data))
    if outcome.case is not None and outcome.status == 201 and not outcome.replayed:
        name = document["reporter"].get("name")
        now, limits = call.hub.clock.now(), call.hub.limits
        view = case_view(outcome.case, call.agency, now, limits, reporter_name=name)
        version = outcome.case.state.version
    else:
        view, version = await case_after(call, outcome)
    return answer(view, outcome.status, etag(version) | _location(call, outcome))


def _location(call: Call, outcome: Outcome) -> dict[str, Any]:
    if outcome.status != 201:
        return {}
    return {"Location": f"{call.context.settings.public_url}/v1/cases/{outcome.ids[0]}"}
