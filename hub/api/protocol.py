"""What aiohttp itself would answer, as text and under its own name: broken HTTP and an `Expect` that nobody
can meet. Here they are problems like all others. And what it waits for without end: a request's headers."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from hub.api import answers
from hub.api.endpoint import trace_of
from hub.errors import Internal, Problem

log = structlog.get_logger(__name__)
HEADERS_S: Final = 60.0
"""So long may a request's headers take to be complete, from its first byte on; a connection's first request
from the connection's beginning on. (Bodies: `hub.api.bodies`.)"""
_CONTINUE: Final = "100-continue"
BROKEN: Final = (
    "The request line, a header or the framing of the body is broken, or a header such as Content-Length or "
    "Content-Type is there twice."
)


class NotHttp(Problem):
    status, code, title = 400, "not-http", "The request is not HTTP that can be read"


class HeadersTooLarge(Problem):
    status, code, title = 431, "headers-too-large", "The request line or a header is too long"


class HeadersStalled(Problem):
    status, code, title = 408, "request-headers-timeout", "The request's headers did not arrive"


class ExpectationFailed(Problem):
    status, code, title = 417, "expectation-failed", "This expectation cannot be met"


async def expected(request: web.Request) -> web.StreamResponse | None:
    """`Expect: 100-continue` is met, anything else is 417."""
    if request.headers["Expect"].strip().lower() == _CONTINUE:
        if request.version >= (1, 1):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        return None
    return _closing(ExpectationFailed(f"Expect can be {_CONTINUE} only, or be left out."), request)


class Runner(web.AppRunner):
    """An AppRunner whose connections answer broken HTTP with a problem."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    __slots__ = ("_body", "_has_begun", "_patience")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._patience: asyncio.TimerHandle | None = None
        """Runs while headers are waited for."""
        self._has_begun = False
        """Whether anything of them has come."""
        self._body: StreamReader = EMPTY_PAYLOAD
        """Of the request that was read last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait_for_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._have_headers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        known, was_body = self._request_count, not self._body.is_eof()
        super().data_received(data)
        if self._request_count != known:
            if self._messages:
                self._body = self._messages[-1][1]
            self._have_headers()
        elif not was_body and not self._has_begun and data.strip(b"\r\n"):  # empty lines begin no request
            self._has_begun = True
            if self._patience is None:
                self._wait_for_headers()

    def _wait_for_headers(self) -> None:
        self._patience = self._loop.call_later(HEADERS_S, self._lose_patience)

    def _have_headers(self) -> None:
        self._has_begun = False
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        """What was begun behind a request that is still worked on has until its end, or a while longer."""
        self._patience = None
        waits = self._waiter
        if waits is None or waits.done():
            self._wait_for_headers()
        elif not self._has_begun:
            self.force_close()
        else:
            late = HeadersStalled(
                f"The headers did not arrive within {HEADERS_S:g} s. Send the request again."
            )
            self._messages.append((_ErrInfo(late.status, late, late.title), EMPTY_PAYLOAD))
            self._close = True  # nothing more is read
            waits.set_result(None)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what no handler saw, after which the connection is closed."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was on its way already")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("connection_crashed", exc_info=exc)
            return _closing(Internal("The hub failed on this request."), request)
        log.debug("not_http", cause=type(exc).__name__)  # its words repeat what was sent
        if isinstance(exc, HeadersStalled):
            return _closing(exc, request)
        if isinstance(exc, LineTooLong):
            return _closing(HeadersTooLarge("A header, or the request line, is longer than 8 kB."), request)
        return _closing(NotHttp(BROKEN), request)


def _closing(refused: Problem, request: web.BaseRequest) -> web.Response:
    trace = trace_of(request.headers.get("traceparent"))
    response = answers.problem(refused, {"X-Correlation-Id": trace})
    response.force_close()
    return response
