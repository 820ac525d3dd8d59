"""`GET /v1/stream`: the caller's mailbox as server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from typing import Final

import structlog
from aiohttp import ClientConnectionError, web

from auth.errors import InvalidToken
from hub.api import answers
from hub.api.context import Call
from hub.api.endpoint import common_headers
from hub.api.queries import LARGEST, Query
from hub.errors import Invalid, Problem
from hub.ports.streams import Following, Subscriber

log = structlog.get_logger(__name__)

SCOPE: Final = "stream:read"
EVENT_STREAM: Final = "text/event-stream"
RETRY_MS: Final = (1000, 4000)
"""Within this a client comes back, each at a moment of its own: after a restart all of them do."""
SEND_BUFFER: Final = 128 * 1024
"""Bytes that the kernel holds for a client. By itself it would hold megabytes for one that does not read."""
KERNEL_WAITS_S: Final = 5.0
ENDINGS: Final = {
    "access": "the access token is no longer good; get a new one and resume",
    "trimmed": "what comes next is no longer kept; resume, and the answer says where the mailbox starts",
    "unavailable": "the hub cannot read its database now; resume in a moment",
    "stopping": "the hub is stopping; resume in a moment",
}
HEADERS: Final = {"X-Accel-Buffering": "no"}
_POSITION: Final = re.compile(r"[0-9]{1,16}")
_NO_QUALITY: Final = re.compile(r"q=0(?:\.0{0,3})?")
_jitter: Final = random.Random()  # noqa: S311  # spreads, and keeps no secret


class NotAcceptable(Problem):
    status, code, title = 406, "not-acceptable", "The answer has another media type"


async def follow(call: Call) -> web.StreamResponse:
    """Ends when the client goes, its token is no longer good, it does not read, or the hub stops."""
    call.require(SCOPE)
    require_accepted(call.request)
    after = position_of(call.request)
    if call.request.method == "HEAD":
        return web.Response(headers=answers.SECURE | HEADERS | {"Content-Type": EVENT_STREAM})
    streams = call.context.streams
    following = await streams.follow(_subscriber(call), after)
    try:
        return await _send(call, following, after)
    finally:
        streams.leave(following)


def require_accepted(request: web.BaseRequest) -> None:
    """406 when `Accept` rules server-sent events out (RFC 9110 12.5.1). The most specific range decides."""
    ranges: dict[str, bool] = {}
    for part in ",".join(request.headers.getall("Accept", [])).split(","):
        name, *parameters = [piece.strip().lower() for piece in part.split(";")]
        if name:
            ranges[name] = not any(_NO_QUALITY.fullmatch(given) for given in parameters)
    if not ranges:
        return
    if not next((ranges[name] for name in (EVENT_STREAM, "text/*", "*/*") if name in ranges), False):
        raise NotAcceptable(f"This answer is {EVENT_STREAM}; name it in Accept, or leave Accept out.")


def position_of(request: web.BaseRequest) -> int | None:
    """After which position: `Last-Event-ID`, which a browser sends when it comes back, before `after`, which
    stands in its address; None for neither."""
    query = Query(request, ("after",))
    asked = query.whole("after", 0, 0) if "after" in request.query else None
    query.done()
    given = request.headers.get("Last-Event-ID", "").strip()
    if not given:
        return asked
    if not _POSITION.fullmatch(given) or int(given) > LARGEST:
        detail = "The `id` of the last event that you have is needed: a position of the mailbox."
        raise Invalid("The header Last-Event-ID cannot be read.", parameters=[("Last-Event-ID", detail)])
    return int(given)


def _subscriber(call: Call) -> Subscriber:
    def why_not() -> str | None:
        try:
            call.recheck()
            call.require(SCOPE)
        except (InvalidToken, Problem):
            return "access"
        return None

    def abort() -> None:
        if call.request.transport is not None:
            _reset_when_closed(call.request.transport)
            call.request.transport.abort()

    def is_gone() -> bool:
        return call.request.transport is None

    is_session = "Authorization" not in call.request.headers
    principal = call.principal
    return Subscriber(
        call.agency, principal.client_id, why_not, abort, is_gone, principal.expires_at, is_session
    )


async def _send(call: Call, following: Following, after: int | None) -> web.StreamResponse:
    told = {"Simpul-Incarnation": following.incarnation}
    response = answers.stream(EVENT_STREAM, headers=HEADERS | told | common_headers(call))
    response.force_close()
    try:
        await response.prepare(call.request)
        _bound(call)
        await response.write(_opening(following, after))
        while piece := await following.next():
            await response.write(piece)
        await response.write(b": %s\n" % ENDINGS.get(following.ended or "", "").encode())
        await response.write_eof()
    except (ConnectionError, ClientConnectionError) as gone:
        # The client has gone or was cut off; it resumes by the last id that it has.
        log.debug("stream_connection_ended", cause=type(gone).__name__, ended=following.ended)
    return response


def _opening(following: Following, after: int | None) -> bytes:
    """Whoever began without a position gets the one where it begins as a bare `id`: an event without data is
    not dispatched, but a browser that comes back before the first event names it."""
    told = f": incarnation {following.incarnation}, after position {following.position}\n"
    begins = f"id: {following.position}\n\n" if after is None else ""
    return f"{told}retry: {_jitter.randint(*RETRY_MS)}\n{begins}".encode()


def _bound(call: Call) -> None:
    """The kernel gives up a client that has vanished, or takes nothing, a little after the hub would: it also
    notices where so little is sent that no writing ever waits."""
    connection = _connection(call.request.transport)
    if connection is not None:
        timeout_ms = int((call.context.settings.stream_write_timeout_s + KERNEL_WAITS_S) * 1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)


def _reset_when_closed(transport: asyncio.Transport) -> None:
    """What the kernel still holds is dropped: nothing more arrives, and nobody waits for it to be taken."""
    if (connection := _connection(transport)) is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _connection(transport: asyncio.BaseTransport | None) -> socket.socket | None:
    """The TCP socket; None once it is closed, or where it is none."""
    found: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
    return found if found is not None and found.family != socket.AF_UNIX else None
