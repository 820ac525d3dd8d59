"""One HTTP/1.1 connection (RFC 9112) as webhooks need it: one request at a time, and of its answer only the
status and Retry-After.

Whoever asks waits for the head of the answer alone. The rest is dropped here, within bounds, so that the line
can be kept; an endpoint that sends anything else than one answer to one request loses it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_HEAD: Final = 16_384
"""Bytes until an answer's headers end, what came before them (1xx) included."""
MAX_ANSWER: Final = 4096
"""Bytes of an answer that are read for the sake of keeping the connection; what came in one piece with the
head has been read anyway."""
ANSWER_BODY_S: Final = 1.0


class Reply(NamedTuple):
    """`retry_after` is the raw header."""

    status: int
    retry_after: str | None


class NoAnswer(Exception):  # a fact about the endpoint, not a fault of ours
    """The endpoint gave none that could be read; the message says why. `untouched`: it closed the connection
    before a single byte, as it happens to one that was kept too long."""

    def __init__(self, cause: str, *, untouched: bool = False) -> None:
        super().__init__(cause)
        self.untouched = untouched


class Phase(IntEnum):
    """In the order in which a full pool gives connections up."""

    DRAINING = 0
    """The answer's head was read, its body is on its way."""
    IDLE = 1
    ASKED = 2
    CLOSED = 3


class Wire(asyncio.Protocol):
    """`idle` is told when the next request may go, `lost` when the connection has ended, whoever ended it."""

    def __init__(self, idle: Callable[[Wire], None], lost: Callable[[Wire], None]) -> None:
        self.phase = Phase.CLOSED
        self.since = 0.0
        """When the phase began, by the loop's clock."""
        self._idle, self._lost = idle, lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._reply: asyncio.Future[Reply] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._received = 0
        self._retry_after: str | None = None
        self._complete = self._keep = False

    async def ask(self, request: bytes) -> Reply:
        """Sends one request, head and body in one piece. Raises NoAnswer; whoever is cancelled here leaves a
        closed connection behind."""
        if self._transport is None or self.phase is not Phase.IDLE:
            raise NoAnswer("the endpoint closed the connection", untouched=True)
        self._enter(Phase.ASKED)
        self._received, self._complete, self._keep = 0, False, False
        self._reply = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._reply
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """At once: nothing that is still on its way matters to anybody."""
        self._end(NoAnswer("the connection was closed"))

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by name
        self._enter(Phase.IDLE)

    def connection_lost(self, error: Exception | None) -> None:
        if self._received == 0:
            self._end(NoAnswer("the endpoint closed the connection without an answer", untouched=True))
        else:
            self._end(NoAnswer("the endpoint closed the connection in the middle of its answer"))

    def data_received(self, data: bytes) -> None:
        if self.phase is Phase.IDLE:  # nobody asked
            self.close()
        if self.phase is Phase.CLOSED:
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._end(NoAnswer("the endpoint switched to another protocol, which nobody asked for"))
        except HttpParserError as error:
            self._end(NoAnswer(f"the endpoint's answer is not HTTP/1.1: {error}"))
        else:
            self._look()

    # the parser's side

    def on_message_begin(self) -> None:
        self._retry_after = None
        if self._complete:  # a second answer to one request
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 11 and name.lower() == b"retry-after" and self._retry_after is None:
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self.phase is not Phase.ASKED or 100 <= status < 200:
            return
        self._keep = self._parser.should_keep_alive()
        self._enter(Phase.DRAINING)
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(Reply(status, self._retry_after))

    def on_message_complete(self) -> None:
        if self.phase is Phase.DRAINING:
            self._complete = True

    # what follows from it

    def _look(self) -> None:
        """After each piece of an answer: what is the connection good for?"""
        if self.phase is Phase.ASKED:
            if self._received > MAX_HEAD:
                self._end(NoAnswer(f"the head of the endpoint's answer is larger than {MAX_HEAD} bytes"))
        elif not self._keep:
            self.close()
        elif self._complete:
            self._finish()
        elif self._received > MAX_ANSWER:
            self.close()
        elif self._patience is None:
            self._patience = self._loop.call_later(ANSWER_BODY_S, self.close)

    def _finish(self) -> None:
        """The answer is over. If it came before the request was sent out, the rest of that must not reach
        anybody."""
        if self._transport is None or self._transport.get_write_buffer_size():
            self.close()
            return
        self._stop_waiting()
        self._enter(Phase.IDLE)
        self._idle(self)

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since = phase, self._loop.time()

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _end(self, cause: NoAnswer) -> None:
        if self.phase is Phase.CLOSED:
            return
        self.phase = Phase.CLOSED
        self._stop_waiting()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(cause)
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self._lost(self)
