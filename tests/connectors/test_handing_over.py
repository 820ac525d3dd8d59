"""[deliver.http]: many events over one connection to the agency's system."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.delivering import DeliverHttp, HttpHandler
from connectors.errors import SystemAway


async def test_events_share_one_connection_and_no_cookies() -> None:
    callers: list[Any] = []
    cookies: list[str | None] = []

    async def take(request: web.Request) -> web.Response:
        callers.append(request.transport)
        cookies.append(request.headers.get("Cookie"))
        await request.read()
        return web.Response(headers={"Set-Cookie": "session=1"})

    application = web.Application()
    application.router.add_post("/in", take)
    async with TestServer(application) as server:
        settings = DeliverHttp(url=str(server.make_url("/in")))
        async with HttpHandler(settings, lambda: None) as handler:
            for number in range(5):
                assert await handler.handle({"id": str(number)}) == ""
        assert len(set(callers)) == 1
        assert cookies == [None] * 5


async def test_a_system_that_does_not_answer_is_away() -> None:
    async with HttpHandler(DeliverHttp(url="http://127.0.0.1:9/in", timeout_s=1), lambda: None) as handler:
        with pytest.raises(SystemAway, match="does not answer"):
            await handler.handle({"id": "1"})
