"""The caller's mailbox: pages with long poll, cursor, digest; and the digests of what it submitted."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer
from hub.api.context import Call
from hub.api.queries import Query
from hub.api.writes import read_write
from hub.errors import Invalid
from hub.service.acts import check_schema
from hub.service.submissions import missing_references, submissions_digest

LONGEST_POLL_S: Final = 30.0


async def page(call: Call) -> web.Response:
    call.require("mailbox:read")
    query = Query(call.request, ("after", "limit", "wait"))
    after, limit = query.whole("after", 0, 0), query.limit()
    wait_s = query.seconds("wait", LONGEST_POLL_S)
    query.done()
    found = await call.hub.mailboxes.page(call.agency, after, limit, wait_s)
    call.recheck()  # a client that was revoked while it waited hears nothing of what came then
    return answer(found)


async def acknowledge(call: Call) -> web.Response:
    call.require("mailbox:read")
    write = await read_write(call, "mailbox-cursor")
    position: int = int(write.document["position"])

    async def move() -> dict[str, int]:
        return await call.hub.mailboxes.acknowledge(call.agency, position)

    async def again(_: tuple[str, ...]) -> dict[str, int]:
        state = await call.hub.readers.run(lambda session: session.mailbox_state(call.agency))
        return {"position": state.cursor}

    return answer(await call.context.once.run(write.idempotency, move, again))


async def digest(call: Call) -> web.Response:
    call.require("mailbox:read")
    query = Query(call.request, ("from", "to"))
    first, last = query.whole("from", None, 1), query.whole("to", None, 1)
    query.done()
    if last < first:
        detail = "It must not lie before `from`; both positions belong to the range."
        raise Invalid("The range is empty.", parameters=[("to", detail)])
    return answer(await call.hub.mailboxes.digest(call.agency, first, last))


async def submitted_digest(call: Call) -> web.Response:
    call.require("complaints:write")
    query = Query(call.request, ("from", "to"))
    since, until = query.time("from", needed=True), query.time("to", needed=True)
    query.done()
    if since is None or until is None or until < since:
        raise Invalid("The span is empty.", parameters=[("to", "It must not lie before `from`.")])
    return answer(await submissions_digest(call.hub.readers, call.principal, since, until))


async def missing(call: Call) -> web.Response:
    call.require("complaints:write")
    _, document = await bodies.read_json(call.request, call.context.settings.max_body_bytes)
    check_schema(call.context.schemas, "missing-references", document)
    missed = await missing_references(call.hub.readers, call.principal, document["references"])
    return answer({"references": missed})
