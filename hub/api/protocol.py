"""What aiohttp itself would answer, as text and under its own name: broken HTTP and an `Expect` that nobody
can meet. Here they are problems like all others."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from hub.api import answers
from hub.api.endpoint import trace_of
from hub.errors import Internal, Problem

log = structlog.get_logger(__name__)
_CONTINUE: Final = "100-continue"
BROKEN: Final = (
    "The request line, a header or the framing of the body is broken, or a header such as Content-Length or "
    "Content-Type is there twice."
)


class NotHttp(Problem):
    status, code, title = 400, "not-http", "The request is not HTTP that can be read"


class HeadersTooLarge(Problem):
    status, code, title = 431, "headers-too-large", "The request line or a header is too long"


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
    __slots__ = ()

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
        if isinstance(exc, LineTooLong):
            return _closing(HeadersTooLarge("A header, or the request line, is longer than 8 kB."), request)
        return _closing(NotHttp(BROKEN), request)


def _closing(refused: Problem, request: web.BaseRequest) -> web.Response:
    trace = trace_of(request.headers.get("traceparent"))
    response = answers.problem(refused, {"X-Correlation-Id": trace})
    response.force_close()
    return response
