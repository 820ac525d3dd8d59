"""A TCP proxy that can swallow what goes one way, as a network that is cut in one direction does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

CHUNK: Final = 65536


class Proxy:
    """Listens on `port`. `cut` is "to" (what the client says is lost), "from" (the answers are) or ""."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._robbed: set[tuple[socket.socket, socket.socket]] = set()
        self.cut = ""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def heal(self) -> None:
        """Bytes pass again; connections that lost some are reset: TCP never gives a stream with a hole."""
        self.cut = ""
        with self._lock:
            robbed, self._robbed = self._robbed, set()
        for pair in robbed:
            _close(*pair)

    def close(self) -> None:
        self.heal()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for source, sink, way in ((client, server, "to"), (server, client, "from")):
                threading.Thread(target=self._pump, args=(source, sink, way), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        try:
            while data := source.recv(CHUNK):
                if self.cut == way:
                    with self._lock:
                        self._robbed.add((source, sink))
                else:
                    sink.sendall(data)
        except OSError:  # either side is gone
            pass
        _close(source, sink)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextlib.contextmanager
def proxy(target_port: int) -> Iterator[Proxy]:
    made = Proxy(target_port)
    try:
        yield made
    finally:
        made.close()
