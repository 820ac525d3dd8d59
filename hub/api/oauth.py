"""The token endpoint and what is published about it. Errors here are RFC 6749's, not problems."""

from __future__ import annotations

from aiohttp import web

from auth.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from auth.forms import MAX_FORM_BYTES, parse_form
from hub.api import bodies
from hub.api.answers import PUBLIC, answer
from hub.api.context import Call
from hub.api.singletons import require_single
from hub.errors import Problem, StoreUnavailable


async def token(call: Call) -> web.Response:
    """RFC 6749 4.4; never cached."""
    try:
        _require_single(call)
        form = parse_form(await _form(call))
        return answer(
            await call.context.access.grant(call.request.headers, form), 200, {"Pragma": "no-cache"}
        )
    except OAuthError as refused:
        return _refusal(refused)
    except StoreUnavailable:
        return _refusal(TemporarilyUnavailable("The hub cannot reach its database now; try again."))


async def jwks(call: Call) -> web.Response:
    return answer(call.context.access.jwks(), 200, PUBLIC)


async def metadata(call: Call) -> web.Response:
    return answer(call.context.access.metadata(), 200, PUBLIC)


def _require_single(call: Call) -> None:
    try:
        require_single(call.request)
    except Problem as refused:
        raise InvalidRequest(refused.detail) from refused


async def _form(call: Call) -> bytes:
    if bodies.media_type_of(call.request) != "application/x-www-form-urlencoded":
        raise InvalidRequest("Send the parameters as application/x-www-form-urlencoded.")
    try:
        bodies.refuse_compressed(call.request)
        return await bodies.read(call.request, MAX_FORM_BYTES)
    except Problem as refused:
        raise InvalidRequest(refused.detail) from refused


def _refusal(refused: OAuthError) -> web.Response:
    headers = {"Pragma": "no-cache"}
    challenge = refused.challenge()
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    if refused.status == 503:
        headers["Retry-After"] = "5"
    return answer(refused.document(), refused.status, headers)
