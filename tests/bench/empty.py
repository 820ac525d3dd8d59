"""The ceiling: an aiohttp handler on uvloop that does nothing. python -m tests.bench.empty PORT"""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web


async def nothing(request: web.Request) -> web.Response:
    return web.Response(status=201)


def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/complaints", nothing)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )


if __name__ == "__main__":
    main()
