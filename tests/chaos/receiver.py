"""A webhook receiver in a process of its own: answers 200 and writes down what came, in order.

python -m tests.chaos.receiver PORT FILE: one line a call, `path webhook-id subject sequence`."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID: Final = re.compile(rb"\r\nwebhook-id: *([^\r]+)", re.IGNORECASE)
_SUBJECT: Final = re.compile(rb'"subject": ?"([^"]*)"')
_SEQUENCE: Final = re.compile(rb'"sequence": ?"([^"]*)"')

Note = Callable[[bytes, bytes], bytes]
"""(head, body) -> the answer; called once a whole request is here."""


class Receiving(asyncio.Protocol):
    """HTTP/1.1 with a Content-Length, which is all that the hub sends; cheap, so that it is no bottleneck."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._answer(self._note(head, body))

    def _answer(self, answer: bytes) -> None:
        self._transport.write(answer)


def webhook_id(head: bytes) -> str:
    found = _ID.search(head)
    return found[1].decode() if found else "-"


async def serve(port: int, note: Note, protocol: Callable[[Note], Receiving] = Receiving) -> None:
    """Until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: protocol(note), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def line_of(head: bytes, body: bytes) -> str:
    """`path webhook-id subject sequence`."""
    subject, sequence = _SUBJECT.search(body), _SEQUENCE.search(body)
    place = head.split(b" ", 2)[1].decode()
    return " ".join((place, webhook_id(head), *(m[1].decode() if m else "-" for m in (subject, sequence))))


def main() -> None:
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    with path.open("a", buffering=1) as lines:

        def note(head: bytes, body: bytes) -> bytes:
            lines.write(line_of(head, body) + "\n")
            return OK

        asyncio.run(serve(port, note))


if __name__ == "__main__":
    main()
