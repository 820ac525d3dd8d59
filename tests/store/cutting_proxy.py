"""A proxy before PostgreSQL that cuts the connection at a COMMIT: before the server hears of it, or after it
has answered and before the client hears of that."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Cut = Literal["before", "after"]


class Link:
    """One client's connection to the server, both ways."""

    def __init__(self, proxy: CuttingProxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy, self.client, self.server = proxy, client, server
        self.deaf = False
        """What the server says is thrown away."""
        for pump in (self._up, self._down):
            threading.Thread(target=pump, daemon=True).start()

    def _up(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                if b"COMMIT" in data and (cut := self.proxy.take()):
                    self.deaf = cut == "after"
                    if cut == "before":
                        break
                self.server.sendall(data)
        if not self.deaf:
            self.end()

    def _down(self) -> None:
        """After a COMMIT that may only be heard of on the server, its first words are the last ones."""
        with contextlib.suppress(OSError):
            while (data := self.server.recv(65536)) and not self.deaf:
                self.client.sendall(data)
        self.end()

    def end(self) -> None:
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@dataclass
class CuttingProxy:
    """`cut` holds for the next COMMIT whose text passes: a connection's first. `shut` refuses everybody."""

    target: tuple[str, int]
    listener: socket.socket
    cut: Cut | None = None
    shut: bool = False
    shut_after_cut: bool = False
    cuts: int = 0
    links: list[Link] = field(default_factory=list)

    def take(self) -> Cut | None:
        cut, self.cut = self.cut, None
        if cut:
            self.cuts += 1
            self.shut = self.shut_after_cut
        return cut

    def url(self, database_url: str) -> str:
        parts = urlsplit(database_url)
        return f"postgresql://{parts.username}@127.0.0.1:{self.listener.getsockname()[1]}{parts.path}"

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.shut:
                client.close()
            else:
                self.links.append(Link(self, client, socket.create_connection(self.target)))

    def close(self) -> None:
        self.listener.close()
        for link in self.links:
            link.end()
            link.client.close()
            link.server.close()


@contextmanager
def cutting_proxy(database_url: str) -> Iterator[CuttingProxy]:
    parts = urlsplit(database_url)
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = CuttingProxy((parts.hostname or "", parts.port or 5432), listener)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
