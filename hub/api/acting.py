"""What agencies do with a case and its forwardings: the handlers of the rows in `hub/service/acts.py`."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog
from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer, etag
from hub.api.context import Call
from hub.api.endpoint import Handler
from hub.api.writes import case_after, do, id_of, idempotency_of, if_match_of, masked_header, not_there
from hub.domain.audience import takes_part
from hub.errors import NoSuchCase, NotFound, SimpulError
from hub.service.acts import ACTS
from hub.service.requests import Outcome
from hub.service.views import consultation_view, forwarding_view

log = structlog.get_logger(__name__)


def acting(name: str) -> Handler:
    """The handler of a row of ACTS: 200 with the case, or with the one forwarding, as it now stands."""
    act = ACTS[name]
    answered = ANSWERS[act.target]

    async def handle(call: Call) -> web.Response:
        try:
            outcome, kinds = await do(call, act)
            return await answered(call, outcome, kinds)
        except NoSuchCase as missing:
            raise NotFound(not_there(act.target)) from missing

    return handle


async def erase(call: Call) -> web.Response:
    """200 with the case. What can be taken from the disk at once is gone when this is answered; what is put
    off, the hub's housekeeping takes up."""
    outcome, kinds = await do(call, ACTS["erasure"])
    try:
        await asyncio.to_thread(call.hub.purge)
    except SimpulError as error:
        log.warning("purge_put_off", cause=str(error))
    return await _case(call, outcome, kinds)


async def forward(call: Call) -> web.Response:
    """201 `{"items": [forwarding]}`, in the order of `to`."""
    outcome, kinds = await do(call, ACTS["forwarding"])
    items = await _forwardings(call, outcome)
    return answer({"items": items}, outcome.status, masked_header(kinds))


async def consult(call: Call) -> web.Response:
    """201 with the consultation, whose id its answer names."""
    outcome, kinds = await do(call, ACTS["consultation"])
    return await _consultation(call, outcome, kinds)


async def unlink(call: Call) -> web.Response:
    """200 with the case, without its link to the case that the path names."""
    case_id, other_id = id_of(call, "case"), id_of(call, "case", "case")
    body = await bodies.read(call.request, call.context.settings.max_body_bytes)
    command = ACTS["link_removal"].command(case_id, "", {"case": other_id}, call.hub.ids)
    key = idempotency_of(call, body)
    outcome = await call.hub.act(call.principal, command, idempotency=key, if_match=if_match_of(call.request))
    return await _case(call, outcome, [])


async def _consultation(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    case_id, asked_id = outcome.ids
    asked = outcome.case.state.consultation(asked_id) if outcome.case else None
    if outcome.case is None or asked is None:
        view = await call.hub.reading.consultation(call.principal, case_id, asked_id)
    else:
        view = consultation_view(asked, case_id, outcome.case.texts)
    return answer(view, outcome.status, masked_header(kinds))


async def _case(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    view, version = await case_after(call, outcome)
    return answer(view, outcome.status, etag(version) | masked_header(kinds))


async def _forwarding(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    leg = next(iter(await _forwardings(call, outcome)), None)
    if leg is None:  # asked again by who no longer sees it
        raise NoSuchCase
    return answer(leg, outcome.status, masked_header(kinds))


async def _forwardings(call: Call, outcome: Outcome) -> list[dict[str, Any]]:
    """The legs that the outcome names, from the state that the transaction left; read where it had nothing to
    load, or gave an old answer again to who may have left the case since."""
    case_id, *leg_ids = outcome.ids
    if outcome.case is None or (outcome.replayed and not takes_part(outcome.case.state, call.agency)):
        return await call.hub.reading.forwardings(call.principal, case_id, leg_ids)
    state, texts = outcome.case.state, outcome.case.texts
    legs = [leg for leg_id in leg_ids if (leg := state.leg(leg_id)) is not None]
    return [forwarding_view(leg, case_id, texts) for leg in legs]


ANSWERS: Final = {"case": _case, "consultation": _consultation, "forwarding": _forwarding}
"""What a row's route answers with, by the row's target."""
