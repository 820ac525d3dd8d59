"""Around every handler: who is it, which trace, every error into a problem, one access line, metrics.

A closure a route instead of a stack of middlewares: a complaint passes here thousands of times a second."""

from __future__ import annotations

import random
import re
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

import structlog
from aiohttp import web

from auth.errors import InvalidToken, SessionRefused
from hub.api import answers
from hub.api.context import Call, Context
from hub.errors import (
    Internal,
    Problem,
    SignInRefused,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger(__name__)
access = structlog.get_logger("hub.access")

Handler = Callable[[Call], Awaitable[web.StreamResponse]]
Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_TRACE: Final = "0" * 32
_traces: Final = random.Random()  # noqa: S311  # unique, not secret; a system call each would cost 5 to 40 us
_HSTS: Final = "max-age=31536000; includeSubDomains"


def endpoint(handler: Handler, template: str, context: Context, *, secured: bool) -> Endpoint:
    """The aiohttp handler of one route; `template` is its path as metrics and the log name it."""
    settings = context.settings

    async def respond(request: web.Request) -> web.StreamResponse:
        started = perf_counter()
        call = Call(request, context, trace_of(request.headers.get("traceparent")))
        structlog.contextvars.bind_contextvars(correlation_id=call.trace_id)
        try:
            if secured:
                call.authenticate()
                if call.signed is not None:
                    await context.sign_in.sessions.seen(call.signed)
            response = await handler(call)
        except Problem as refused:
            response = answers.problem(refused)
        except CancelledError:
            raise
        except Exception as error:
            response = _failed(error, call, template)
        if not response.prepared:
            response.headers.update(common_headers(call))
        seconds = perf_counter() - started
        context.metrics.seen(template, request.method, response.status, seconds)
        if settings.access_log:
            access.info(
                "request",
                route=template,
                method=request.method,
                status=response.status,
                ms=round(seconds * 1000, 2),
                client=call.client_id,
            )
        return response

    return respond


def trace_of(traceparent: str | None) -> str:
    """The trace id of a valid W3C traceparent header, else a new one: 32 hex digits."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found and found[1] != _NO_TRACE and not found[0].startswith("ff"):
        return found[1]
    return f"{_traces.getrandbits(128) or 1:032x}"


def common_headers(call: Call) -> dict[str, str]:
    """Of every answer; one that is sent piece by piece takes them itself, as it is on its way by then."""
    headers = {"X-Correlation-Id": call.trace_id}
    settings = call.context.settings
    if settings.tls_in_front or (settings.trusted_proxies and call.peer().secure):
        headers["Strict-Transport-Security"] = _HSTS
    return headers


def _failed(error: Exception, call: Call, template: str) -> web.Response:
    """The answer to what is no Problem; a defect is logged here, once."""
    if isinstance(error, InvalidToken):
        log.warning("token_refused", route=template, cause=error.description, peer=call.peer().address)
        challenge = {"WWW-Authenticate": error.challenge()}
        code = error.problem if isinstance(error, SessionRefused) else Unauthenticated.code
        refused = Unauthenticated if code == Unauthenticated.code else SignInRefused
        return answers.problem(refused(error.description, code=code), challenge)
    if isinstance(error, StoreUnavailable):
        if times := call.context.store_away.due(perf_counter()):
            log.warning("store_unavailable", route=template, cause=str(error), times=times)
        away = Unavailable("The hub cannot reach its database now; try again.", retry_after_s=5)
        return answers.problem(away)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return answers.problem(TooLarge("The body is too large."))
    if isinstance(error, ConnectionError):
        raise error
    log.error("request_crashed", route=template, exc_info=error)
    return answers.problem(
        Internal(
            f"The hub failed on this request. Tell its operator the correlation id {call.trace_id}.",
            extra={"correlation_id": call.trace_id},
        )
    )
