"""Officers sign in and out (`/v1/session`), change their password and add a second factor. What is asked here
with an access token is 404: a client has no session."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from auth.cookies import DEVICE_KEPT_S
from hub.api import bodies, session_cookie
from hub.api.answers import answer
from hub.api.context import Call
from hub.api.queries import no_query
from hub.api.singletons import require_single
from hub.errors import NotFound
from hub.ports.clock import rfc3339
from hub.service.accounts_proof import Credentials
from hub.service.acts import check_schema
from hub.service.sessions import Signed


async def sign_in(call: Call) -> web.Response:
    """200 with the officer, and the cookie; whatever is wrong with address or password is one and the same
    401."""
    public_url = call.context.settings.public_url
    require_single(call.request)
    session_cookie.require_same_origin(call.request, public_url)
    body = await _body(call, "session-request")
    given = Credentials(
        body["email"],
        body["password"],
        body.get("new_password"),
        body.get("totp"),
        call.peer().address,
        session_cookie.read_device(call.request, public_url),
    )
    former = session_cookie.read(call.request, public_url)
    cookie, signed = await call.context.sign_in.sign_in(given, former)
    return _signed_in(call, cookie, signed)


async def who(call: Call) -> web.Response:
    """200 with the officer and the csrf_token."""
    signed = _session(call)
    no_query(call.request)
    return answer(_view(call, signed))


async def sign_out(call: Call) -> web.Response:
    """200 with the officer as it was; the cookie is good for nothing any more, in any process."""
    signed = _session(call)
    await bodies.read(call.request, call.context.settings.max_body_bytes)
    await call.context.sign_in.sessions.end(signed)
    response = answer(_view(call, signed))
    session_cookie.remove(response, call.context.settings.public_url)
    return response


async def change_password(call: Call) -> web.Response:
    """200 with a new session; every other one of the officer has ended."""
    signed = _session(call)
    body = await _body(call, "password-change")
    cookie, begun = await call.context.sign_in.change_password(signed, body["password"], body["new_password"])
    return _signed_in(call, cookie, begun)


async def propose_totp(call: Call) -> web.Response:
    """200 with the secret, this once, which counts when it is confirmed."""
    signed = _session(call)
    body = await _body(call, "totp-proposal")
    secret, uri = await call.context.sign_in.propose_totp(signed, body["password"], body.get("totp"))
    return answer({"secret": secret, "uri": uri})


async def confirm_totp(call: Call) -> web.Response:
    """200 with the officer, who needs a code from now on."""
    signed = _session(call)
    body = await _body(call, "totp-confirmation")
    await call.context.sign_in.confirm_totp(signed, body["totp"])
    return _with_totp(call, signed, is_set=True)


async def remove_totp(call: Call) -> web.Response:
    """200 with the officer, who needs no code any more."""
    signed = _session(call)
    body = await _body(call, "totp-removal")
    await call.context.sign_in.remove_totp(signed, body["password"], body["totp"])
    return _with_totp(call, signed, is_set=False)


def _with_totp(call: Call, signed: Signed, *, is_set: bool) -> web.Response:
    view = _view(call, signed)
    return answer(view | {"officer": view["officer"] | {"totp": is_set}})


def _session(call: Call) -> Signed:
    if call.signed is None:
        raise NotFound("You came with an access token; only an officer who has signed in has a session.")
    return call.signed


async def _body(call: Call, schema: str) -> Any:
    _, document = await bodies.read_json(call.request, call.context.settings.max_body_bytes)
    check_schema(call.context.schemas, schema, document)
    return document


def _signed_in(call: Call, cookie: str, signed: Signed) -> web.Response:
    response = answer(_view(call, signed))
    lifetime_s = int(signed.expires_at.timestamp() - call.context.clock.now().timestamp())
    public_url, device = call.context.settings.public_url, call.context.sign_in.device_cookie(signed)
    session_cookie.put(response, cookie, public_url, lifetime_s)
    session_cookie.put_device(response, device, public_url, DEVICE_KEPT_S)
    return response


def _view(call: Call, signed: Signed) -> dict[str, Any]:
    officer = signed.officer
    return {
        "officer": {
            "id": officer.id,
            "name": officer.name,
            "email": officer.email,
            "agency": officer.agency,
            "role": officer.role,
            "totp": officer.totp_sealed is not None,
        },
        "csrf_token": call.context.sign_in.sessions.csrf_token(signed),
        "expires_at": rfc3339(signed.expires_at),
    }
