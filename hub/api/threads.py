"""Coordination threads: rooms, messages, commitments. What officers write is masked on entry, as on cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer, etag
from hub.api.context import Call
from hub.api.queries import Query, no_query
from hub.api.writes import id_of, idempotency_of, if_match_of, masked_header, read_write
from hub.domain.agency import AGENCY_ID
from hub.domain.threads.commands import (
    AddParticipant,
    ChangeCommitment,
    Conclude,
    EditMessage,
    FulfilCommitment,
    MakeCommitment,
    OpenThread,
    PostMessage,
    RemoveParticipant,
    ReopenThread,
    ThreadCommand,
    WithdrawMessage,
)
from hub.domain.threads.thread import ALL, Thread
from hub.domain.threads.views import message_view
from hub.errors import Invalid, NotFound, Problem
from hub.service.acts import attached
from hub.service.ids import uuid_of
from hub.service.requests import Idempotency, Outcome

STATUSES: Final = ("open", "missed", "fulfilled")
ORDERS: Final = ("oldest", "newest")
Body = dict[str, Any]


async def open_thread(call: Call) -> web.Response:
    """201 with the thread."""
    call.require("threads:write")
    write = await read_write(call, "thread-request")
    body: Body = write.document
    cases = tuple(uuid_of(name) or name for name in body["cases"])
    (subject,), kinds = await call.hub.threads.masked(call.principal, cases, [body["subject"]])
    command = OpenThread(call.hub.ids.new(), subject, cases, tuple(body.get("participants", ())))
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
    files, names = attached(body)
    texts = [body["text"], body.get("officer", ""), *names]
    masked, kinds = await call.hub.threads.masked_in(call.principal, thread_id, texts, _repeated(call))
    officer = call.signed.officer.name if call.signed else masked[1] or None
    command = PostMessage(
        thread_id,
        call.hub.ids.new(),
        masked[0],
        body["scope"],
        officer,
        call.principal.officer,
        tuple(uuid_of(name) or name for name in body.get("mentions", ())),
        tuple(uuid_of(name) or name for name in body.get("cases", ())),
        files,
        tuple(masked[2:]),
    )
    outcome = await call.hub.act(call.principal, command, idempotency=write.idempotency)
    return await _message(call, outcome, kinds)


async def change_message(call: Call) -> web.Response:
    thread = await call.hub.threads.thread_of_message(call.principal, id_of(call, "message"), _repeated(call))
    _, body, key = await _read(call, "message-change", thread.state.id)
    (text,), kinds = await call.hub.threads.masked(call.principal, thread.state.cases, [body["text"]])
    command = EditMessage(thread.state.id, id_of(call, "message"), text)
    return await _message(call, await call.hub.act(call.principal, command, idempotency=key), kinds)


async def withdraw_message(call: Call) -> web.Response:
    thread = await call.hub.threads.thread_of_message(call.principal, id_of(call, "message"), _repeated(call))
    key = await _key(call)
    command = WithdrawMessage(thread.state.id, id_of(call, "message"))
    return await _message(call, await call.hub.act(call.principal, command, idempotency=key), [])


async def add_participant(call: Call) -> web.Response:
    thread_id = id_of(call, "thread")
    thread, body, key = await _read(call, "participant-request", thread_id)
    cases = tuple(thread.state.cases)
    officers, kinds = await call.hub.threads.masked(call.principal, cases, body.get("officers", ()))
    command = AddParticipant(thread_id, cases, body["agency"], body.get("history", ALL), tuple(officers))
    return await _thread(call, command, key, kinds)


async def remove_participant(call: Call) -> web.Response:
    thread_id, agency = id_of(call, "thread"), call.request.match_info["agency"]
    thread = await call.hub.threads.check(call.principal, thread_id, _repeated(call))
    if not AGENCY_ID.fullmatch(agency) or thread.state.participant(agency) is None:
        raise NotFound("This agency takes no part in the thread.")
    command = RemoveParticipant(thread_id, tuple(thread.state.cases), agency)
    return await _thread(call, command, await _key(call))


async def make_commitment(call: Call) -> web.Response:
    """201 with the commitment."""
    thread_id = id_of(call, "thread")
    thread, body, key = await _read(call, "commitment-request", thread_id)
    texts = [body["text"], body.get("officer", "")]
    (text, officer), kinds = await call.hub.threads.masked(call.principal, thread.state.cases, texts)
    command = MakeCommitment(
        thread_id, call.hub.ids.new(), body["agency"], text, body["due_on"], officer or None
    )
    return await _commitment(call, command, key, kinds)


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
    thread = await call.hub.threads.thread_of_commitment(
        call.principal, id_of(call, "commitment"), _repeated(call)
    )
    _, body, key = await _read(call, "commitment-change", thread.state.id)
    (reason,), kinds = await call.hub.threads.masked(call.principal, thread.state.cases, [body["reason"]])
    command = ChangeCommitment(thread.state.id, id_of(call, "commitment"), body["due_on"], reason)
    return await _commitment(call, command, key, kinds)


async def fulfil_commitment(call: Call) -> web.Response:
    thread = await call.hub.threads.thread_of_commitment(
        call.principal, id_of(call, "commitment"), _repeated(call)
    )
    _, body, key = await _read(call, "fulfilment", thread.state.id)
    (text,), kinds = await call.hub.threads.masked(call.principal, thread.state.cases, [body["text"]])
    command = FulfilCommitment(thread.state.id, id_of(call, "commitment"), text)
    return await _commitment(call, command, key, kinds)


async def conclude(call: Call) -> web.Response:
    thread_id = id_of(call, "thread")
    thread, body, key = await _read(call, "conclusion", thread_id)
    (text,), kinds = await call.hub.threads.masked(call.principal, thread.state.cases, [body["text"]])
    command = Conclude(thread_id, text, body.get("despite_open_commitments", False))
    return await _thread(call, command, key, kinds)


async def reopen(call: Call) -> web.Response:
    thread_id = id_of(call, "thread")
    _, _, key = await _read(call, "thread-reopening", thread_id, may_be_empty=True)
    return await _thread(call, ReopenThread(thread_id), key)


async def mark_read(call: Call) -> web.Response:
    """200 with the thread. Said twice it changes nothing, so no key is kept."""
    thread_id = id_of(call, "thread")
    await call.hub.threads.thread(call.principal, thread_id)
    write = await read_write(call, "read-mark")
    up_to = uuid_of(write.document["up_to"]) or ""
    return answer(await call.hub.threads.mark(call.principal, thread_id, up_to))


async def _read(
    call: Call, schema: str, thread_id: str, *, may_be_empty: bool = False
) -> tuple[Thread, Body, Idempotency | None]:
    """The thread and the body; whoever may not write there is told so before a bad body is."""
    thread = await call.hub.threads.check(call.principal, thread_id, _repeated(call))
    write = await read_write(call, schema, may_be_empty=may_be_empty)
    return thread, write.document, write.idempotency


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


async def _thread(
    call: Call, command: ThreadCommand, key: Idempotency | None, kinds: Sequence[str] = ()
) -> web.Response:
    seen = if_match_of(call.request)
    outcome = await call.hub.act(call.principal, command, idempotency=key, if_match=seen)
    view = await call.hub.threads.thread(call.principal, outcome.ids[0])
    return answer(view, outcome.status, etag(view["version"]) | masked_header(list(kinds)))


async def _message(call: Call, outcome: Outcome, kinds: list[str]) -> web.Response:
    """From what the transaction left; read where an old answer is given again."""
    if outcome.replayed or outcome.message is None or outcome.thread is None:
        view = await call.hub.threads.message(call.principal, *outcome.ids)
    else:
        view = message_view(outcome.message, outcome.thread.state, call.agency)
    return answer(view, outcome.status, masked_header(kinds))


async def _commitment(
    call: Call, command: ThreadCommand, key: Idempotency | None, kinds: list[str]
) -> web.Response:
    outcome = await call.hub.act(call.principal, command, idempotency=key)
    view = await call.hub.threads.commitment(call.principal, *outcome.ids)
    return answer(view, outcome.status, masked_header(kinds))
