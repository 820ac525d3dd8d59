"""A case's evidence: signed, to be kept and verified without the hub."""

from __future__ import annotations

from aiohttp import web

from hub.api.answers import JSON, raw
from hub.api.context import Call
from hub.api.queries import no_query
from hub.api.writes import id_of


async def evidence(call: Call) -> web.Response:
    """The file byte by byte: written anew by a JSON library it would no longer verify."""
    case_id = id_of(call, "case")
    await call.hub.check(call.principal, "evidence", case_id=case_id)
    no_query(call.request)
    file = await call.hub.evidence.export(call.principal, case_id, call.context.access.signer())
    name = f'attachment; filename="evidence-{case_id}.json"'
    return raw(file, JSON, headers={"Content-Disposition": name})
