"""Forwardings: sending a case on, and the handshake of each leg."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from hub.api.answers import answer as answered
from hub.api.cases import Body, mask_members
from hub.api.context import Call
from hub.api.writes import id_of, masked_header, read_write
from hub.domain.commands import Accept, Answer, Forward, LegCommand, Progress, Recipient, Return, Withdraw
from hub.service.requests import Outcome
from hub.service.views import forwarding_view


async def forward(call: Call) -> web.Response:
    """201 `{"items": [forwarding]}`, in the order of `to`."""
    case_id = id_of(call, "case")
    write = await read_write(call, "forwarding-request", "forward", case_id=case_id)
    body, kinds = await mask_members(call, case_id, write.document, ("note",))
    to = tuple(Recipient(call.hub.ids.new(), leg["agency"], leg["role"]) for leg in body["to"])
    outcome = await call.hub.act(
        call.principal,
        Forward(case_id, to, body.get("note")),
        idempotency=write.idempotency,
        if_match=write.if_match,
    )
    items = await _legs(call, outcome)
    return answered({"items": items}, outcome.status, masked_header(kinds))


async def accept(call: Call) -> web.Response:
    return await _act(
        call,
        "acceptance",
        "accept",
        (),
        lambda case_id, leg_id, body: Accept(case_id, leg_id),
        may_be_empty=True,
    )


async def return_(call: Call) -> web.Response:
    return await _act(
        call,
        "return",
        "return",
        ("text",),
        lambda case_id, leg_id, body: Return(
            case_id, leg_id, body["reason"], body.get("text"), body.get("suggested_agency")
        ),
    )


async def progress(call: Call) -> web.Response:
    return await _act(
        call,
        "progress",
        "progress",
        ("text",),
        lambda case_id, leg_id, body: Progress(case_id, leg_id, body["text"]),
    )


async def answer(call: Call) -> web.Response:
    return await _act(call, "answer", "answer", ("text",), _answer)


def _answer(case_id: str, leg_id: str, body: Body) -> Answer:
    files = body.get("attachments") or []
    attachments = tuple({name: file[name] for name in ("sha256", "media_type", "size")} for file in files)
    return Answer(case_id, leg_id, body["text"], attachments, tuple(file["name"] for file in files))


async def withdraw(call: Call) -> web.Response:
    return await _act(
        call,
        "withdrawal",
        "withdraw",
        ("reason",),
        lambda case_id, leg_id, body: Withdraw(case_id, leg_id, body["reason"]),
    )


async def _act(
    call: Call,
    schema: str,
    action: str,
    texts: Sequence[str],
    command: Callable[[str, str, Body], LegCommand],
    *,
    may_be_empty: bool = False,
) -> web.Response:
    """One command on one leg; 200 with the forwarding as it now stands."""
    leg_id = id_of(call, "forwarding")
    write = await read_write(call, schema, action, leg_id=leg_id, may_be_empty=may_be_empty)
    case_id = await call.hub.case_of_leg(leg_id)
    body, kinds = await mask_members(call, case_id, write.document, texts)
    body, more = await _mask_names(call, case_id, body)
    outcome = await call.hub.act(
        call.principal,
        command(case_id, leg_id, body),
        idempotency=write.idempotency,
        if_match=write.if_match,
    )
    (leg,) = await _legs(call, outcome)
    return answered(leg, outcome.status, masked_header(sorted({*kinds, *more})))


async def _mask_names(call: Call, case_id: str, body: Body) -> tuple[Body, list[str]]:
    """File names are words too."""
    files = body.get("attachments")
    if not files:
        return body, []
    names, kinds = await call.hub.mask_text(case_id, [file["name"] for file in files])
    named = [file | {"name": name} for file, name in zip(files, names, strict=True)]
    return body | {"attachments": named}, kinds


async def _legs(call: Call, outcome: Outcome) -> list[dict[str, Any]]:
    """The legs that the outcome names, from the state that the transaction left; read only where it had
    nothing to load."""
    case_id, *leg_ids = outcome.ids
    if outcome.case is None:
        return await call.hub.forwardings(call.principal, case_id, leg_ids)
    state, texts = outcome.case.state, outcome.case.texts
    legs = [leg for leg_id in leg_ids if (leg := state.leg(leg_id)) is not None]
    return [forwarding_view(leg, case_id, texts) for leg in legs]
