"""The hub's HTTP interface as a small app would write it itself: a token, JSON, long polls."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

Event = dict[str, Any]
Say = Callable[[str], None]


class Refused(Exception):
    """The hub refused this request for good; the message holds its problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(
            f"{status} {problem.get('title', '')}: {problem.get('detail', '')} {problem.get('errors', '')}"
        )
        self.status = status


class Away(Exception):
    """The hub does not answer now; ask again later."""


class HubApi:
    """One OAuth client (RFC 6749 client_credentials) over one HTTP session. Where the hub has several
    addresses, the next one is taken when one does not answer."""

    def __init__(
        self, session: aiohttp.ClientSession, urls: Sequence[str], client_id: str, client_secret: str
    ) -> None:
        self._session, self._urls = session, deque(urls)
        self._login = aiohttp.BasicAuth(client_id, client_secret)
        self._token, self._renew_at = "", 0.0

    @property
    def addresses(self) -> int:
        """How many the hub has."""
        return len(self._urls)

    async def get(self, path: str, **query: int | str) -> dict[str, Any]:
        return await self._call("GET", path, params={name: str(value) for name, value in query.items()})

    async def post(self, path: str, body: dict[str, Any], key: str = "") -> dict[str, Any]:
        """`key` is the Idempotency-Key: the same call again does nothing twice."""
        return await self._json("POST", path, body, {"Idempotency-Key": key} if key else {})

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._json("PUT", path, body, {})

    async def upload(self, content: bytes, media_type: str) -> str:
        """The attachment's id, its SHA-256 in hexadecimal."""
        answer = await self._call(
            "POST", "/v1/attachments", data=content, headers={"Content-Type": media_type}
        )
        return str(answer["id"])

    async def _json(
        self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", **headers}
        return await self._call(method, path, data=orjson.dumps(body), headers=headers)

    async def _call(self, method: str, path: str, **parts: Any) -> dict[str, Any]:
        headers = {**parts.pop("headers", {}), "Authorization": f"Bearer {await self._bearer()}"}
        status, document = await self._send(method, path, headers=headers, **parts)
        if status == 401:
            self._renew_at = 0.0
        if status in (401, 429) or status >= 500:
            raise Away(f"{method} {path}: {status} {document.get('title', '')}")
        if status >= 400:
            raise Refused(status, document)
        return document

    async def _bearer(self) -> str:
        if time.monotonic() >= self._renew_at:
            form = {"grant_type": "client_credentials"}
            status, document = await self._send("POST", "/oauth/token", data=form, auth=self._login)
            if status != 200:
                raise Away(f"no token: {status} {document}")
            self._token = str(document["access_token"])
            self._renew_at = time.monotonic() + 0.8 * float(document["expires_in"])
        return self._token

    async def _send(self, method: str, path: str, **parts: Any) -> tuple[int, dict[str, Any]]:
        try:
            async with self._session.request(method, self._urls[0] + path, **parts) as response:
                raw = await response.read()
                return response.status, orjson.loads(raw) if raw else {}
        except (TimeoutError, aiohttp.ClientError, OSError, orjson.JSONDecodeError) as error:
            url = self._urls[0]
            self._urls.rotate(-1)
            nobody = isinstance(error, aiohttp.ClientConnectorError)
            why = "nothing listens there" if nobody else f"{type(error).__name__} {error}".strip()
            raise Away(f"{method} {url}{path}: {why}") from error


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=45)) as opened:
        yield opened


async def follow(
    api: HubApi,
    after: int,
    handle: Callable[[Event], Awaitable[None]],
    keep: Callable[[int], None],
    say: Say = print,
) -> None:
    """Reads the mailbox from `after` on, for ever: each event is handled, then its position kept. What breaks
    off in between is handled again, so `handle` must be harmless when repeated. That the hub is away is said
    once, when none of its addresses answered."""
    misses = 0
    while True:
        try:
            page = await api.get("/v1/mailbox", after=after, limit=100, wait=20)
            for item in page["items"]:
                await handle(item["event"])
                after = int(item["position"])
                keep(after)
        except Away as away:
            misses += 1
            if misses == api.addresses:
                say(f"{time.strftime('%H:%M:%S')}  the hub is away, trying again: {away}")
            await asyncio.sleep(1)
        else:
            if misses >= api.addresses:
                say(f"{time.strftime('%H:%M:%S')}  the hub answers again")
            misses = 0


def short_type(event: Event) -> str:
    """`forwarding.sent` of `id.simpul.forwarding.sent.v1`."""
    return str(event["type"]).removeprefix("id.simpul.").removesuffix(".v1")
