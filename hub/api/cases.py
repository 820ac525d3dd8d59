"""Cases: list, one, and its history."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from hub.api.answers import answer, etag
from hub.api.context import Call
from hub.api.queries import Query, no_query
from hub.api.writes import id_of
from hub.domain.agency import AGENCY_ID
from hub.domain.transitions import CASE
from hub.ports.store import CaseFilter

ROLES: Final = ("owner", "handler", "participant")
FILTERS: Final = ("status", "agency", "region", "category", "overdue", "role", "q", "updated_since")


async def list_cases(call: Call) -> web.Response:
    call.require("cases:read")
    query = Query(call.request, (*FILTERS, "limit", "cursor"))
    wanted = _filter(query, call)
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    scope = f"cases\n{call.agency}\n{wanted}"
    after = call.context.cursors.read(scope, cursor)
    items, last = await call.hub.reading.cases(call.principal, wanted, after, limit)
    return answer({"items": items, "next": call.context.cursors.write(scope, last)})


def _filter(query: Query, call: Call) -> CaseFilter:
    regions, categories = call.context.regions, call.context.categories
    return CaseFilter(
        status=query.one_of("status", tuple(CASE)),
        agency=query.checked("agency", AGENCY_ID.fullmatch, "The id of an agency is needed."),
        region=query.checked(
            "region", regions.get, "A region code such as 62.02 is needed; see /v1/regions."
        ),
        category=query.checked(
            "category", categories.get, "A category's code is needed; see /v1/categories."
        ),
        role=query.one_of("role", ROLES),
        q=query.text("q", 2, 200),
        updated_since=query.time("updated_since"),
        overdue=query.flag("overdue"),
    )


async def get_case(call: Call) -> web.Response:
    case = await call.hub.reading.case(call.principal, id_of(call, "case"))
    no_query(call.request)
    return answer(case, 200, etag(case["version"]))


async def history(call: Call) -> web.Response:
    """Its events, oldest first, as CloudEvents; beside them who acted, for whom that concerns."""
    case_id = id_of(call, "case")
    await call.hub.check(call.principal, "history", case_id=case_id)
    query = Query(call.request, ("limit", "cursor"))
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    scope = f"history\n{call.agency}\n{case_id}"
    after = call.context.cursors.read(scope, cursor)
    start = int(after[0]) if after else 0
    page = await call.hub.reading.history(call.principal, case_id, start, limit)
    following = call.context.cursors.write(scope, None if page.after is None else (str(page.after),))
    officers = {"officers": page.officers} if page.officers else {}
    return answer({"items": page.events, "next": following} | officers)
