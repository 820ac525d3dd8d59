"""The registry of agencies: read by every client, written with the scope agencies:write."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hub.api.answers import answer
from hub.api.context import Call
from hub.api.paging import page_of
from hub.api.queries import no_query
from hub.api.writes import masked_header, read_write
from hub.domain.agency import AGENCY_ID, DEFAULT_TIME_ZONE, Agency
from hub.errors import Invalid, NotFound
from hub.service.handing_over import require_handover
from hub.service.requests import ChangeAgency, Outcome, RegisterAgency


async def list_agencies(call: Call) -> web.Response:
    known = call.hub.registry.agencies
    keys, following = page_of(call, "agencies", sorted(known))
    return answer({"items": [known[key].document() for key in keys], "next": following})


async def get(call: Call) -> web.Response:
    found = call.hub.agency(_agency_id(call))
    no_query(call.request)
    return answer(found.document())


async def register(call: Call) -> web.Response:
    call.allow("register")
    write = await read_write(call, "agency-registration")
    body = write.document
    _check_region(call, body.get("region"))
    call.context.kafka_agencies.require_offered(body.get("kafka", False))
    agency = Agency(
        id=body["id"],
        name=body["name"],
        kind=body["kind"],
        region=body.get("region"),
        parent=body.get("parent"),
        time_zone=body.get("time_zone", DEFAULT_TIME_ZONE),
        kafka=body.get("kafka", False),
        days_off=body.get("days_off", {}),
    )
    outcome = await call.hub.act(call.principal, RegisterAgency(agency), idempotency=write.idempotency)
    if agency.kafka:
        await call.context.kafka_agencies.follow()
    headers = {"Location": f"{call.context.settings.public_url}/v1/agencies/{agency.id}"}
    return answer(_after(call, outcome), outcome.status, headers)


async def change(call: Call) -> web.Response:
    agency_id = _agency_id(call)
    call.hub.agency(agency_id)
    call.allow("register")
    write = await read_write(call, "agency-change")
    _check_region(call, write.document.get("region"))
    call.context.kafka_agencies.require_offered(write.document.get("kafka", False))
    command = ChangeAgency(agency_id, write.document)
    outcome = await call.hub.act(call.principal, command, idempotency=write.idempotency)
    if write.document.keys() & {"kafka", "active"}:
        await call.context.kafka_agencies.follow()
    return answer(_after(call, outcome), outcome.status)


async def hand_over(call: Call) -> web.Response:
    """200 with the summary for the successor."""
    agency_id = _agency_id(call)
    call.hub.agency(agency_id)
    require_handover(call.principal, agency_id)
    write = await read_write(call, "handover-request")
    command, kinds = await call.hub.handovers.command(agency_id, write.document)
    outcome = await call.hub.act(call.principal, command, idempotency=write.idempotency)
    view = await call.hub.handovers.answer(call.principal, command, outcome)
    return answer(view, outcome.status, masked_header(kinds))


def _agency_id(call: Call) -> str:
    given = call.request.match_info["id"]
    if not AGENCY_ID.fullmatch(given):
        raise NotFound("There is no such agency; see GET /v1/agencies.")
    return given


def _check_region(call: Call, code: str | None) -> None:
    if code is not None and call.context.regions.get(code) is None:
        detail = f"{code} was never a Kemendagri region code; see GET /v1/regions."
        raise Invalid("The region is not there.", flaws=[("/region", detail)])


def _after(call: Call, outcome: Outcome) -> dict[str, Any]:
    if outcome.agency is not None:
        return outcome.agency.document()
    call.hub.registry.refresh()
    return call.hub.agency(outcome.ids[0]).document()
