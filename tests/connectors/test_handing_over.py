"""[deliver.http]: many events over one connection to the agency's system."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.delivering import DeliverHttp, DeliveryRefused, HttpHandler
from connectors.errors import ConnectorError, EndpointWrong, SystemAway, SystemBusy


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


async def answered(status: int) -> type[Exception] | None:
    """What becomes of an event to which the system answers so; connectors/README.md has the table."""

    async def take(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    application = web.Application()
    application.router.add_post("/in", take)
    async with TestServer(application) as server:
        settings = DeliverHttp(url=str(server.make_url("/in")))
        async with HttpHandler(settings, lambda: None) as handler:
            try:
                await handler.handle({"id": "1"})
            except ConnectorError as error:
                return type(error)
    return None


@pytest.mark.parametrize("encoding", ["br", "gzip", "zstd", "martian"])
async def test_how_the_body_of_an_answer_is_packed_does_not_matter(encoding: str) -> None:
    async def take(_: web.Request) -> web.Response:
        headers = {"Content-Encoding": encoding, "Content-Type": "text/html; charset=martian"}
        return web.Response(body=b"\x00\xff\xfejunk", headers=headers)

    application = web.Application()
    application.router.add_post("/in", take)
    async with TestServer(application) as server:
        settings = DeliverHttp(url=str(server.make_url("/in")))
        async with HttpHandler(settings, lambda: None) as handler:
            assert await handler.handle({"id": "1"}) == ""


@pytest.mark.parametrize(
    ("statuses", "ends"),
    [
        ((200, 201, 202, 204), None),
        ((408, 425, 500, 501, 502, 503, 504), SystemAway),
        ((301, 302, 307, 401, 403, 404, 405, 407, 410, 421), EndpointWrong),
        ((429,), SystemBusy),
        ((400, 409, 413, 422), DeliveryRefused),
    ],
)
async def test_what_the_answer_of_the_agencys_system_does(
    statuses: tuple[int, ...], ends: type[Exception] | None
) -> None:
    assert {status: await answered(status) for status in statuses} == dict.fromkeys(statuses, ends)
