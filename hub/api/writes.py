"""What every write shares: body, Idempotency-Key and If-Match, judged in one order.

404, 410 and 403 come before 413, 415, 400 and 422. A good body goes straight to the transaction, which
decides the former itself; only for a bad one are existence and rights looked up before it is refused, and for
an officer's words before they are masked (`Hub.mask_body`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web

from hub.api import bodies
from hub.api.context import Call
from hub.domain.audience import takes_part
from hub.errors import Invalid, NotFound, Problem, no_such
from hub.service.acts import Act, check_schema
from hub.service.ids import uuid_of
from hub.service.requests import Idempotency, Outcome, seen_version
from hub.service.words import left_to_mask

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Write:
    """A body that fits its schema, and the headers that go with it."""

    document: Any
    idempotency: Idempotency | None
    if_match: int | None


async def read_write(
    call: Call,
    schema: str,
    action: str | None = None,
    *,
    case_id: str | None = None,
    leg_id: str | None = None,
    may_be_empty: bool = False,
) -> Write:
    """The write. With `action`, whoever may not do it is told so before a bad body is."""
    try:
        return await _read(call, schema, may_be_empty)
    except Problem:
        if action is not None:
            await call.hub.check(call.principal, action, case_id=case_id, leg_id=leg_id)
        raise


async def _read(call: Call, schema: str, may_be_empty: bool) -> Write:
    request, most = call.request, call.context.settings.max_body_bytes
    data, document = b"{}", cast(Any, {})
    if request.body_exists or not may_be_empty:
        data, document = await bodies.read_json(request, most)
    check_schema(call.context.schemas, schema, document)
    return Write(document, idempotency_of(call, data), if_match_of(request))


def idempotency_of(call: Call, body: bytes) -> Idempotency | None:
    """The write's memory; Invalid (422) for a key that is none."""
    key = call.request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        detail = "A key of 1 to 255 visible ASCII characters is needed, such as a UUID."
        raise Invalid("The Idempotency-Key cannot be used.", parameters=[("Idempotency-Key", detail)])
    return call.hub.idempotency(call.principal, call.request.method, call.request.path, key, body)


def if_match_of(request: web.BaseRequest) -> int | None:
    """The version that the caller saw; None without the header or for `*`."""
    return seen_version(request.headers.get("If-Match"))


WHERE_IT_STANDS: Final = {
    "forwarding": "A forwarding has an id of its own, not the case's: it stands in the event forwarding.sent "
    "(data.forwarding.id) and in the case (forwardings[].id).",
    "consultation": "A consultation has an id of its own, not the case's: it stands in the event "
    "consultation.requested (data.consultation.id).",
}


def not_there(what: str) -> str:
    """The one sentence, and where the id stands that belongs there."""
    return f"{no_such(what)} {WHERE_IT_STANDS[what]}" if what in WHERE_IT_STANDS else no_such(what)


def id_of(call: Call, what: str, member: str = "id") -> str:
    """The path's id in its one form; anything that is no UUID is not there (404)."""
    given = uuid_of(call.request.match_info[member])
    if given is None:
        raise NotFound(not_there(what))
    return given


async def do(call: Call, act: Act) -> tuple[Outcome, list[str]]:
    """Reads the body, masks an officer's words in it and runs the act; with the kinds of what was masked."""
    given = id_of(call, act.target)
    target = {"case_id" if act.target == "case" else "leg_id": given}
    write = await read_write(call, act.schema, act.action, may_be_empty=act.may_be_empty, **target)
    hub, body, kinds = call.hub, write.document, list[str]()
    left = left_to_mask(body, act.texts) if act.masked_late else ()
    if left:
        case_id = given if act.target == "case" else await hub.case_of(given)
    else:
        case_id, body, kinds = await hub.mask_body(call.principal, act.action, body, act.texts, **target)
    command = act.command(case_id, given, body, hub.ids)
    key, seen = write.idempotency, write.if_match
    outcome = await hub.act(call.principal, command, idempotency=key, if_match=seen, words=left)
    if left and outcome.replayed:  # nothing was masked now: who may still write it is told again
        _, _, kinds = await hub.mask_body(call.principal, act.action, body, act.texts, **target)
    return outcome, kinds or list(outcome.masked)


async def case_after(call: Call, outcome: Outcome) -> tuple[dict[str, Any], int]:
    """The case after a write, as the caller may see it now, and its version."""
    case = outcome.case
    if case is not None and takes_part(case.state, call.agency):
        return await call.hub.reading.seen_by(call.principal, case), case.state.version
    view = await call.hub.reading.case(call.principal, outcome.ids[0])
    return view, view["version"]


def masked_header(kinds: list[str]) -> dict[str, str]:
    """Tells the writer what was masked in what it wrote."""
    return {"Simpul-Masked": ", ".join(kinds)} if kinds else {}
