"""A ministry's endpoint on loopback: a real aiohttp server that keeps what it got and answers as told."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


@dataclass(slots=True)
class Received:
    headers: dict[str, str]
    body: bytes
    answered: int | None = None
    event: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        return self.event["subject"]


Behaviour = Callable[[Received], Any]
"""Gives a status, a (status, headers) pair or a response, or a coroutine of one."""


class Receiver:
    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl = ssl_context
        self.received: list[Received] = []
        self.behave: Behaviour = lambda received: 204
        self.port = 0
        self.open = 0
        self.most_open = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simpul"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True, ssl_context=self._ssl)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def accepted(self) -> list[dict[str, Any]]:
        """The events that were answered with 2xx, in the order of their answers."""
        return [r.event for r in self.received if r.answered is not None and 200 <= r.answered < 300]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        received = Received({k.lower(): v for k, v in request.headers.items()}, body)
        received.headers[":path"] = request.path
        received.event = orjson.loads(body) if body else {}
        self.received.append(received)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            answer = self.behave(received)
            if inspect.isawaitable(answer):
                answer = await answer
        finally:
            self.open -= 1
        if isinstance(answer, web.StreamResponse):
            received.answered = answer.status
            return answer
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        received.answered = status
        return web.Response(status=status, headers=headers)


async def hang(_: Received) -> int:
    await asyncio.sleep(60)
    return 204
