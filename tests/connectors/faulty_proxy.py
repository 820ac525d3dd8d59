"""A network and a front server that misbehave, before a real hub: what no healthy hub can be asked to do.

Every request has a connection of its own here, so that a fault strikes exactly one."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What happens to the next request whose path begins with `path` and whose body has `holding` inside: it
    is answered with `status` and never reaches the hub; or it does so after `delay_s`; or (`cut`) the hub
    works, and its answer is lost. A `lasting` one strikes every such request."""

    path: str
    status: int = 0
    retry_after: str = "0"
    delay_s: float = 0.0
    cut: bool = False
    holding: bytes = b""
    lasting: bool = False


@dataclass
class FaultyProxy:
    """`passed` holds what reached the hub: (monotonic seconds, "METHOD path", body). `faults` are used up
    from the front; a fault for another path waits."""

    hub_port: int
    faults: list[Fault] = field(default_factory=list)
    passed: list[tuple[float, str, bytes]] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                proxy.serve(self.rfile, self.wfile)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def count(self, path: str, body: bytes = b"") -> int:
        """How many requests for exactly this "METHOD path" with `body` somewhere inside reached the hub."""
        with self.lock:
            return sum(1 for _, line, sent in self.passed if line == path and body in sent)

    def serve(self, reader: Any, writer: Any) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline()
            if not line:
                return
            if not line.lower().startswith(b"connection:"):
                head += line
        body = reader.read(_length(head))
        request = head.split(b" HTTP/", 1)[0].decode()
        fault = self._fault(request.split(" ")[1], body)
        if fault and fault.status:
            with self.lock:
                self.refused_at.append(time.monotonic())
            writer.write(_refusal(fault))
            return
        if fault:
            time.sleep(fault.delay_s)
        with self.lock:
            self.passed.append((time.monotonic(), request, body))
        self._pass_on(head[:-2] + b"Connection: close\r\n\r\n" + body, writer, cut=bool(fault and fault.cut))

    def _fault(self, path: str, body: bytes) -> Fault | None:
        with self.lock:
            striking = (
                fault for fault in self.faults if path.startswith(fault.path) and fault.holding in body
            )
            found = next(striking, None)
            if found and not found.lasting:
                self.faults.remove(found)
            return found

    def _pass_on(self, request: bytes, writer: Any, cut: bool) -> None:
        try:
            with socket.create_connection(("127.0.0.1", self.hub_port), timeout=60) as hub:
                hub.sendall(request)
                while piece := hub.recv(1 << 16):
                    if not cut:
                        writer.write(piece)
        except OSError:
            return  # the hub is away, or the caller is: either sees its connection end


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _refusal(fault: Fault) -> bytes:
    return (
        f"HTTP/1.1 {fault.status} Busy\r\nRetry-After: {fault.retry_after}\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
