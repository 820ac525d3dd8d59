"""The load generator, a process of its own: raw asyncio sockets, kept alive, requests put together from
prepared bytes. Reads a job as JSON from standard input, prints what it saw as JSON.

closed: `connections` send as fast as they are answered, for `seconds` or `count` requests.
open: `rate` requests a second at fixed times, whatever the answers do, for `seconds` or until SIGTERM.
`ports` are several servers that share the load."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final, cast

import orjson
import uvloop

from tests.bench.bodies import REFERENCE_LENGTH, halves, reference

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE_S: Final = 15.0


class Connection(asyncio.Protocol):
    """One kept connection; one request at a time."""

    def __init__(self, answered: Callable[[Connection, int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self._missing, self._status = 0, 0
        self.sent_ns = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self._missing:  # the rest of a long answer: count, do not gather
            self._missing -= len(data)
            if self._missing <= 0:
                self._missing = 0
                self._answered(self, self._status)
            return
        self._buffer = self._buffer + data if self._buffer else data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end + 2)
        if length is None:
            raise ValueError(f"an answer without a length: {self._buffer[:200]!r}")
        self._status = int(self._buffer[9:12])
        self._missing = max(0, end + 4 + int(length[1]) - len(self._buffer))
        self._buffer = b""
        if not self._missing:
            self._answered(self, self._status)

    def connection_lost(self, error: Exception | None) -> None:
        self._answered(self, -1)


class Requests:
    """The bytes of request after request: complaints, the given paths in turn, or the given posts (path and
    JSON body), each once."""

    def __init__(self, job: dict[str, Any]) -> None:
        headers = "".join(f"{name}: {value}\r\n" for name, value in job.get("headers", {}).items())
        self._prefix, self.number = job.get("prefix", ""), 0
        self._gets = [f"GET {path} HTTP/1.1\r\nHost: hub\r\n{headers}\r\n".encode() for path in job["paths"]]
        self._posts = [_post(path, len(body), headers) + body.encode() for path, body in job["posts"]]
        before, after = halves()
        size = len(before) + REFERENCE_LENGTH + len(after)
        self._head = _post(job["path"], size, headers) + before
        self._after = after

    def next(self, now_ns: int) -> bytes:
        self.number += 1
        if self._gets:
            return self._gets[self.number % len(self._gets)]
        if self._posts:
            post: bytes = self._posts[self.number - 1]
            return post
        return self._head + reference(self._prefix, self.number, now_ns) + self._after


def _post(path: str, size: int, headers: str) -> bytes:
    """What stands before the body."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\n{headers}\r\n"
    ).encode()


class Driver:
    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._requests = Requests(job)
        self._most = job.get("count") or sys.maxsize
        self._rate = float(job.get("rate") or 0.0)
        self._idle: deque[Connection] = deque()
        self._pending: deque[int] = deque()
        self._open = 0
        self._done = asyncio.Event()
        self._ends_ns = 0
        self.statuses: Counter[int] = Counter()
        self.latencies_ns: list[int] = []
        self.late_ns = 0

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        connections, ports = [], self._job.get("ports") or [self._job["port"]]
        for number in range(self._job["connections"]):
            _, made = await loop.create_connection(
                lambda: Connection(self._answered), "127.0.0.1", ports[number % len(ports)]
            )
            connections.append(made)
        cpu_s, began = time.process_time(), time.monotonic_ns()
        self._ends_ns = began + int(self._job["seconds"] * 1e9)
        if self._rate:
            self._idle.extend(connections)
            await self._send_by_the_clock(began)
            self._ends_ns = 0  # all are sent: from now on the last answer is the end
            if not self._open:
                self._done.set()
        else:
            for connection in connections:
                self._send(connection, time.monotonic_ns())
        try:
            await asyncio.wait_for(self._done.wait(), self._job["seconds"] + PATIENCE_S)
        except TimeoutError:
            raise SystemExit(self._stuck()) from None
        ended = time.monotonic_ns()
        for connection in connections:
            connection.transport.abort()
        return self._seen((ended - began) / 1e9, time.process_time() - cpu_s)

    def _stop(self) -> None:
        self._ends_ns = 0

    def _stuck(self) -> str:
        waiting = f"{self._open} requests have no answer, {len(self._pending)} wait to be sent"
        return f"after {PATIENCE_S} s more, {waiting}; answered: {dict(self.statuses)}"

    async def _send_by_the_clock(self, began: int) -> None:
        """The due time counts as the time of sending, so that a slow server cannot slow the clock."""
        gap_ns, number = 1e9 / self._rate, 0
        while (due := began + int(number * gap_ns)) < self._ends_ns:
            now = time.monotonic_ns()
            if due > now:
                await asyncio.sleep((due - now) / 1e9)
            number += 1
            self.late_ns = max(self.late_ns, time.monotonic_ns() - due)
            if self._idle:
                self._send(self._idle.popleft(), due)
            else:
                self._pending.append(due)

    def _send(self, connection: Connection, now_ns: int) -> None:
        connection.sent_ns = now_ns
        self._open += 1
        connection.transport.write(self._requests.next(now_ns))

    def _answered(self, connection: Connection, status: int) -> None:
        now = time.monotonic_ns()
        self._open -= 1
        if status == -1:
            if not self._done.is_set():
                self.statuses[-1] += 1
        else:
            self.statuses[status] += 1
            self.latencies_ns.append(now - connection.sent_ns)
            if self._pending:
                self._send(connection, self._pending.popleft())
            elif self._rate:
                self._idle.append(connection)
            elif now < self._ends_ns and self._requests.number < self._most:
                self._send(connection, now)
        if self._open <= 0 and (now >= self._ends_ns or self._requests.number >= self._most):
            self._done.set()

    def _seen(self, seconds: float, cpu_s: float) -> dict[str, Any]:
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        ordered = sorted(self.latencies_ns) or [0]
        at = {name: ordered[int(len(ordered) * q)] / 1e6 for name, q in (("p50_ms", 0.5), ("p99_ms", 0.99))}
        return {
            "good": good,
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "seconds": seconds,
            "rate": good / seconds,
            "driver_cpu_share": cpu_s / seconds,
            "late_ms": self.late_ns / 1e6,
        } | at


def main() -> None:
    job = {"paths": [], "posts": [], "path": "/v1/complaints", "connections": 64, "seconds": 5.0}
    job |= orjson.loads(sys.stdin.buffer.readline())
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(Driver(job).run())))


if __name__ == "__main__":
    main()
