"""Forwardings: sending a case on, and the handshake of each leg."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hub.api.answers import answer as answered
from hub.api.context import Call
from hub.api.writes import do, masked_header
from hub.service.acts import ACTS, Act
from hub.service.requests import Outcome
from hub.service.views import forwarding_view


async def forward(call: Call) -> web.Response:
    """201 `{"items": [forwarding]}`, in the order of `to`."""
    outcome, kinds = await do(call, ACTS["forwarding"])
    items = await _legs(call, outcome)
    return answered({"items": items}, outcome.status, masked_header(kinds))


async def accept(call: Call) -> web.Response:
    return await _act(call, ACTS["acceptance"])


async def return_(call: Call) -> web.Response:
    return await _act(call, ACTS["return"])


async def progress(call: Call) -> web.Response:
    return await _act(call, ACTS["progress"])


async def answer(call: Call) -> web.Response:
    return await _act(call, ACTS["answer"])


async def withdraw(call: Call) -> web.Response:
    return await _act(call, ACTS["withdrawal"])


async def _act(call: Call, act: Act) -> web.Response:
    """One command on one leg; 200 with the forwarding as it now stands."""
    outcome, kinds = await do(call, act)
    (leg,) = await _legs(call, outcome)
    return answered(leg, outcome.status, masked_header(kinds))


async def _legs(call: Call, outcome: Outcome) -> list[dict[str, Any]]:
    """The legs that the outcome names, from the state that the transaction left; read only where it had
    nothing to load."""
    case_id, *leg_ids = outcome.ids
    if outcome.case is None:
        return await call.hub.forwardings(call.principal, case_id, leg_ids)
    state, texts = outcome.case.state, outcome.case.texts
    legs = [leg for leg_id in leg_ids if (leg := state.leg(leg_id)) is not None]
    return [forwarding_view(leg, case_id, texts) for leg in legs]
