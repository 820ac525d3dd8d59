"""Connections to endpoints, kept for a few seconds and bounded as a whole.

They are keyed by the checked address, the port and the name that TLS verified: a kept connection never serves
an endpoint that another check would not have led to."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import Final, NamedTuple

from hub.delivery.wire import Phase, Wire

KEEPALIVE_S: Final = 4.0
"""Less than the 5 s after which common servers hang up, so that we seldom write into a closed connection."""
SWEEP_S: Final = 1.0


class Route(NamedTuple):
    """An address, never a name. `tls_name` is what the certificate must say; None for plain HTTP."""

    address: str
    port: int
    tls_name: str | None


@functools.cache
def _this_machines_trust() -> ssl.SSLContext:
    """Read when the first secure endpoint is called: it takes 35 ms of processor time, as much as half of
    what a hub has to put together at its start."""
    return ssl.create_default_context()


class Connections:
    """At most `limit`, as long as no more are asked at once. Lives on the event loop."""

    def __init__(self, limit: int, connect_timeout_s: float, ssl_context: ssl.SSLContext | None) -> None:
        """Without a context of its own: this machine's trust."""
        self._limit = limit
        self._connect_timeout_s = connect_timeout_s
        self._ssl = ssl_context
        self._open: dict[Wire, Route] = {}
        self._idle: dict[Route, list[Wire]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def kept(self, route: Route) -> Wire | None:
        """A connection that was used a moment ago, the latest first; None if there is none."""
        wires = self._idle.get(route)
        if not wires:
            return None
        wire = wires.pop()
        if _is_fresh(wire, asyncio.get_running_loop().time()):
            return wire
        wire.close()  # and those below it are older still
        return None

    async def connect(self, route: Route) -> Wire:
        """A new one. Raises OSError (ssl.SSLError among it) or TimeoutError."""
        self._make_room()
        secure = route.tls_name is not None
        async with asyncio.timeout(self._connect_timeout_s):
            _, wire = await asyncio.get_running_loop().create_connection(
                lambda: Wire(self._rests, self._ended),
                route.address,
                route.port,
                ssl=(self._ssl or _this_machines_trust()) if secure else None,
                server_hostname=route.tls_name,
            )
        if wire.phase is not Phase.CLOSED:  # some hang up at once
            self._open[wire] = route
        return wire

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for wire in list(self._open):
            wire.close()

    def __len__(self) -> int:
        return len(self._open)

    def _rests(self, wire: Wire) -> None:
        route = self._open.get(wire)
        if route is None:
            wire.close()
            return
        self._idle.setdefault(route, []).append(wire)
        if self._sweeper is None:
            self._sweep_later()

    def _ended(self, wire: Wire) -> None:
        route = self._open.pop(wire, None)
        wires = self._idle.get(route) if route is not None else None
        if wires is not None and wire in wires:
            wires.remove(wire)

    def _make_room(self) -> None:
        """Who still drains an answer goes first, then who was idle longest."""
        while len(self._open) >= self._limit:
            wire = min(self._open, key=lambda wire: (wire.phase, wire.since))
            if wire.phase is Phase.ASKED:
                return  # all are at work; whoever asks for more bounds it
            wire.close()

    def _sweep_later(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        now = asyncio.get_running_loop().time()
        for route, wires in list(self._idle.items()):
            for wire in [wire for wire in wires if not _is_fresh(wire, now)]:
                wire.close()
            if not wires:
                del self._idle[route]
        if self._idle:
            self._sweep_later()


def _is_fresh(wire: Wire, now: float) -> bool:
    return now - wire.since < KEEPALIVE_S
