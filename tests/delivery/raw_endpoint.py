"""An endpoint that speaks bytes, for answers that no HTTP library would give."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from yarl import URL

from hub.delivery.sender import Sender, SignedCall
from hub.delivery.targets import Targets
from hub.ports.clock import SystemClock
from tests.delivery.delivery_world import QUIET

SETTINGS = replace(QUIET, total_timeout_s=5.0)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Script = Callable[[Reader, Writer], Awaitable[None]]
"""What happens on one connection, from its beginning to its end."""


class RawEndpoint:
    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.ended = 0
        """Connections that the other side, or the script, has ended."""
        self.requests: list[bytes] = []
        self.script: Script = self.answering(OK)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simpul"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()

    async def request(self, reader: Reader) -> bytes:
        """One request, head and body; IncompleteReadError when there is none any more."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request

    def answering(self, *answers: bytes) -> Script:
        """To every request on a connection the next of these bytes, the last one again and again."""

        async def script(reader: Reader, writer: Writer) -> None:
            for answer in answers:
                await self.request(reader)
                writer.write(answer)
            while True:
                await self.request(reader)
                writer.write(answers[-1])

        return script

    def hanging_up_after(self, answer: bytes) -> Script:
        async def script(reader: Reader, writer: Writer) -> None:
            await self.request(reader)
            writer.write(answer)
            await writer.drain()

        return script

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self.script(reader, writer)
        finally:
            self.ended += 1
            self._tasks.discard(task)
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()


def sender_of(**changes: float) -> Sender:
    with_changes = replace(SETTINGS, **changes)  # type: ignore[arg-type]  # numbers of either kind
    return Sender(Targets(with_changes, SystemClock()), with_changes, SystemClock())


def message(endpoint: RawEndpoint, body: bytes = b'{"id":"1"}') -> SignedCall:
    return SignedCall(URL(endpoint.url), {"webhook-id": "1"}, body)
