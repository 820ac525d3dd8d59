"""Coordination threads: rooms, messages, commitments. What officers write is masked on entry, as on cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer, etag
from hub.api.context import Call
from hub.api.queries import Query, no_query
from hub.api.writes import id_of, idempotency_of, if_match_of, masked_header, read_write
from hub.domain.agency import AGENCY_ID
from hub.domain.threads.views import message_view
from hub.errors import Invalid, Problem
from hub.service.acts import attached
from hub.service.ids import uuid_of
from hub.service.requests import Idempotency, Outcome
from hub.service.thread_acts import (
    OPENING,
    SCHEMAS,
    THREAD_ACTS,
    command_of,
    message_of,
    named_in,
    opening_of,
)
from hub.service.words import left_to_mask

STATUSES: Final = ("open", "missed", "fulfilled")
ORDERS: Final = ("oldest", "newest")
Body = dict[str, Any]


async def open_thread(call: Call) -> web.Response:
    """201 with the thread."""
    call.require("threads:write")
    write = await read_write(call, SCHEMAS[OPENING])
    command, kinds = await opening_of(call.hub.threads, call.principal, write.document, call.hub.ids)
    outcome = await call.hub.act(call.principal, command, idempotency=write.idempotency)
    view = await call.hub.threads.thread(call.principal, outcome.ids[0])
    location = f"{call.context.settings.public_url}/v1/threads/{outcome.ids[0]}"
    return answer(view, outcome.status, {"Location": location} | masked_header(kinds))


async def list_threads(call: Call) -> web.Response:
    call.require("cases:read")
    query = Query(call.request, ("case", "limit", "cursor"))
    case_id = query.checked("case", uuid_of, "The id of a case is needed.")
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    scope = f"threads\n{call.agency}\n{case_id}"
    after = call.context.cursors.read(scope, cursor)
    case_id = uuid_of(case_id) if case_id else None
    items, last = await call.hub.threads.threads(call.principal, case_id, after[0] if after else None, limit)
    following = call.context.cursors.write(scope, None if last is None else (last,))
    return answer({"items": items, "next": following})


async def get_thread(call: Call) -> web.Response:
    view = await call.hub.threads.thread(call.principal, id_of(call, "thread"))
    no_query(call.request)
    return answer(view, headers=etag(view["version"]))


async def list_messages(call: Call) -> web.Response:
    """Oldest first, or with `order=newest` from the end."""
    thread_id = id_of(call, "thread")
    query = Query(call.request, ("order", "limit", "cursor"))
    newest = query.one_of("order", ORDERS) == "newest"
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    scope = f"messages\n{call.agency}\n{thread_id}\n{newest}"
    try:
        query.done()
        after = call.context.cursors.read(scope, cursor)
    except Problem:
        await call.hub.threads.thread(call.principal, thread_id)  # 404 comes before 422
        raise
    items, last = await call.hub.threads.messages(
        call.principal, thread_id, int(after[0]) if after else None, limit, newest_first=newest
    )
    following = call.context.cursors.write(scope, None if last is None else (str(last),))
    return answer({"items": items, "next": following})


async def post_message(call: Call) -> web.Response:
    """201 with the message."""
    thread_id = id_of(call, "thread")
    try:
        write = await read_write(call, "message-request")
    except Problem:
        await call.hub.threads.check(call.principal, thread_id, _repeated(call))
        raise
    body: Body = write.document
    texts, kinds = [body["text"], body.get("officer", ""), *attached(body)[1]], list[str]()
    left = () if call.signed else left_to_mask(body, ("text", "officer"))
    if not left:
        texts, kinds = await call.hub.threads.masked_in(call.principal, thread_id, texts, _repeated(call))
    officer = call.signed.officer.name if call.signed else texts[1] or None
    command = message_of(thread_id, body, officer, call.principal.officer, call.hub.ids)
    command = replace(command, text=texts[0], names=tuple(texts[2:]))
    outcome = await call.hub.act(call.principal, command, idempotency=write.idempotency, words=left)
    if left and outcome.replayed:  # nothing was masked now: who may still write it is told again
        _, kinds = await call.hub.threads.masked_in(call.principal, thread_id, texts, _repeated(call))
    return await _message(call, outcome, kinds or list(outcome.masked))


async def change_message(call: Call) -> web.Response:
    return await _message(call, *await _do(call, "message_change", id_of(call, "message")))


async def withdraw_message(call: Call) -> web.Response:
    return await _message(call, *await _do(call, "message_withdrawal", id_of(call, "message"), {}))


async def add_participant(call: Call) -> web.Response:
    return await _thread(call, *await _do(call, "participant", id_of(call, "thread"), versioned=True))


async def remove_participant(call: Call) -> web.Response:
    said = {"agency": call.request.match_info["agency"]}
    done = await _do(call, "participant_removal", id_of(call, "thread"), said, versioned=True)
    return await _thread(call, *done)


async def make_commitment(call: Call) -> web.Response:
    """201 with the commitment."""
    return await _commitment(call, *await _do(call, "commitment", id_of(call, "thread")))


async def list_commitments(call: Call) -> web.Response:
    """Who owes what, by due date."""
    call.require("cases:read")
    query = Query(call.request, ("agency", "status", "limit", "cursor"))
    agency = query.checked("agency", AGENCY_ID.fullmatch, "The id of an agency is needed.")
    status = query.one_of("status", STATUSES)
    limit, cursor = query.limit(), query.text("cursor", 1, 2000)
    query.done()
    scope = f"commitments\n{call.agency}\n{agency}\n{status}"
    after = call.context.cursors.read(scope, cursor)
    place = (after[0], after[1]) if after else None
    items, last = await call.hub.threads.commitments(call.principal, agency, status, place, limit)
    return answer({"items": items, "next": call.context.cursors.write(scope, last)})


async def change_commitment(call: Call) -> web.Response:
    return await _commitment(call, *await _do(call, "commitment_change", id_of(call, "commitment")))


async def fulfil_commitment(call: Call) -> web.Response:
    return await _commitment(call, *await _do(call, "fulfilment", id_of(call, "commitment")))


async def conclude(call: Call) -> web.Response:
    return await _thread(call, *await _do(call, "conclusion", id_of(call, "thread"), versioned=True))


async def reopen(call: Call) -> web.Response:
    return await _thread(call, *await _do(call, "thread_reopening", id_of(call, "thread"), versioned=True))


async def mark_read(call: Call) -> web.Response:
    """200 with the thread. Said twice it changes nothing, so no key is kept."""
    thread_id = id_of(call, "thread")
    await call.hub.threads.thread(call.principal, thread_id)
    write = await read_write(call, "read-mark")
    up_to = uuid_of(write.document["up_to"]) or ""
    return answer(await call.hub.threads.mark(call.principal, thread_id, up_to))


async def _do(
    call: Call, name: str, target: str, said: Body | None = None, *, versioned: bool = False
) -> tuple[Outcome, list[str]]:
    """An act of the one table, and the kinds of what was masked. Whoever may not do it is told so before a
    bad body is. `said`: what the path of a DELETE says in place of a body."""
    act, threads, key = THREAD_ACTS[name], call.hub.threads, None
    named = await named_in(threads, call.principal, act, target, _repeated(call))
    if said is None:
        write = await read_write(call, act.schema, may_be_empty=act.may_be_empty)
        said, key = write.document, write.idempotency
        command, kinds = await command_of(threads, call.principal, act, named, said, call.hub.ids)
    else:
        command, kinds = await command_of(threads, call.principal, act, named, said, call.hub.ids)
        key = await _key(call)
    seen = if_match_of(call.request) if versioned else None
    return await call.hub.act(call.principal, command, idempotency=key, if_match=seen), kinds


def _repeated(call: Call) -> bytes | None:
    """Under what the write would be remembered. A key that is none is told of when its turn comes."""
    try:
        given = idempotency_of(call, b"")
    except Invalid:
        return None
    return given.key if given else None


async def _key(call: Call) -> Idempotency | None:
    """Of a DELETE, whose body says nothing."""
    return idempotency_of(call, await bodies.read(call.request, call.context.settings.max_body_bytes))


async def _thread(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    view = await call.hub.threads.thread(call.principal, outcome.ids[0])
    return answer(view, outcome.status, etag(view["version"]) | masked_header(kinds))


async def _message(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    """From what the transaction left; read where an old answer is given again."""
    if outcome.replayed or outcome.message is None or outcome.thread is None:
        view = await call.hub.threads.message(call.principal, *outcome.ids)
    else:
        view = message_view(outcome.message, outcome.thread.state, call.agency)
    return answer(view, outcome.status, masked_header(kinds))


async def _commitment(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    view = await call.hub.threads.commitment(call.principal, *outcome.ids)
    return answer(view, outcome.status, masked_header(kinds))
