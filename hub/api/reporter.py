"""The reporter's identity, to whom the policy gives it. Each reading is recorded."""

from __future__ import annotations

from aiohttp import web

from hub.api.answers import answer
from hub.api.context import Call
from hub.api.queries import Query
from hub.api.writes import id_of, masked_header

SHORTEST_PURPOSE, LONGEST_PURPOSE = 3, 500


async def reporter(call: Call) -> web.Response:
    """A GET that leaves an event behind: another site's link must not make an officer's browser send it."""
    call.require_own_page()
    case_id = id_of(call, "case")
    await call.hub.reporters.check(call.principal, case_id)
    query = Query(call.request, ("purpose",))
    purpose = query.words("purpose", SHORTEST_PURPOSE, LONGEST_PURPOSE)
    query.done()
    found = await call.hub.reporters.read(call.principal, case_id, purpose)
    return answer(found.document(), 200, masked_header(found.masked))
