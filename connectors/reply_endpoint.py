"""POST /replies: where the agency's own system says what it did with a forwarding, on its own machine."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from connectors.answering import AnswersHttp
from connectors.config import secret
from connectors.errors import ConfigRefused
from connectors.replies import Replies, ReplyRefused, read_reply

BODY_BYTES = 1024 * 1024
BODY_S = 30.0
"""So long may a whole body take to arrive: who sends it is on the internet, or hangs."""
Server = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class _NoHttp(logging.Filter):
    """Strangers may call: what is no HTTP is answered 400, and leaves no line behind."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_log = logging.getLogger("simpul-connector.server")
_log.addFilter(_NoHttp())


def reply_server(
    settings: AnswersHttp, replies: Replies, now: Callable[[], datetime], wake: Callable[[], None]
) -> Server:
    """For `Connector.servers`. 202 means that the reply is durable; the same id again does nothing."""
    token = secret(settings.token_env, "answers.http.token_env")

    async def take(request: web.Request) -> web.Response:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode("utf-8", "replace"), f"Bearer {token}".encode()):
            return web.json_response(
                {"detail": "send Authorization: Bearer with the agreed token"}, status=401
            )
        try:
            raw = orjson.loads(await read_body(request))
            reply = read_reply(raw, "http-")
        except (orjson.JSONDecodeError, TypeError, AttributeError):
            return web.json_response({"detail": "send one JSON object"}, status=400)
        except ReplyRefused as error:
            return web.json_response({"detail": str(error)}, status=422)
        new = replies.take(reply, now().isoformat())
        wake()
        return web.json_response({"id": raw["id"], "new": new}, status=202)

    application = web.Application(client_max_size=BODY_BYTES)
    application.router.add_post("/replies", take)
    return lambda stop: serve(application, settings.listen, "answers.http.listen", stop)


async def read_body(request: web.Request) -> bytes:
    """The body. Answers 408 itself when it does not arrive within BODY_S, and 413 (aiohttp does) when it is
    longer than the application takes."""
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        late = web.HTTPRequestTimeout(text=f"the body did not arrive within {BODY_S:g} s; send it again")
        late.force_close()  # what still comes of the body belongs to no request
        raise late from None


async def serve(application: web.Application, listen: str, key: str, stop: asyncio.Event) -> None:
    """Serves until `stop` is set; a taken or impossible address is refused in plain words."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigRefused(key, f"is {listen!r}", "write 127.0.0.1:8090")
    runner = web.AppRunner(application, access_log=None, logger=_log, shutdown_timeout=2)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise ConfigRefused(
                key, f"{listen} cannot be listened on ({error.strerror})", "choose another port"
            ) from error
        await stop.wait()
    finally:
        await runner.cleanup()
