"""One signed HTTP call to one checked address: no redirects, cookies, proxies or unbounded answers."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from hub.delivery.addresses import Address
from hub.delivery.answers import Answer, Outcome, judge
from hub.delivery.settings import DeliverySettings
from hub.delivery.targets import Target, TargetRefused, Targets, Unresolved
from hub.ports.clock import Clock

MAX_ANSWER: Final = 4096
ANSWER_BODY_S: Final = 1.0
KEEPALIVE_S: Final = 4.0
"""Less than the 5 s after which common servers hang up, so that we seldom write into a closed connection."""

_FIXED_HEADERS: Final = {
    "Content-Type": "application/cloudevents+json",
    "User-Agent": "Simpul/1",
    "Accept": "*/*",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `headers` are the Standard Webhooks headers, `body` the CloudEvent."""

    url: URL
    headers: dict[str, str]
    body: bytes


class Sender:
    """Connections are kept for a few seconds, per address and TLS name. `open` it on the event loop."""

    def __init__(
        self,
        targets: Targets,
        settings: DeliverySettings,
        clock: Clock,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._settings = settings
        self._total_s = settings.total_timeout_s
        self._ssl = ssl_context or ssl.create_default_context()
        self._opened: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._opened = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._settings.in_flight, keepalive_timeout=KEEPALIVE_S, use_dns_cache=False
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept-Encoding",),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            raise RuntimeError("the sender is not open")
        return self._opened

    async def send(self, message: Message) -> Answer:
        """Resolves, checks, sends. Every failure is an Answer with its cause; only cancelling raises."""
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._total_s):
                target = await self._targets.check(message.url)
                status, headers = await self._call(target, message)
        except (TargetRefused, Unresolved) as refused:
            return Answer(Outcome.DOWN, str(refused))
        except TimeoutError:
            return Answer(Outcome.DOWN, f"no answer within {self._total_s:g} s", latency_s=self._total_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(Outcome.DOWN, _cause(error), latency_s=self._clock.monotonic() - started)
        return judge(status, headers, self._clock.monotonic() - started)

    async def _call(self, target: Target, message: Message) -> tuple[int, dict[str, str]]:
        *others, last = target.addresses
        for address in others:
            try:
                return await self._post(target, address, message)
            except (aiohttp.ClientSSLError, aiohttp.ServerDisconnectedError):
                raise
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                continue  # nothing was sent; the next address may answer
        return await self._post(target, last, message)

    async def _post(self, target: Target, address: Address, message: Message) -> tuple[int, dict[str, str]]:
        try:
            return await self._post_once(target, address, message)
        except aiohttp.ServerDisconnectedError:
            # Most likely a kept connection that the server closed meanwhile. The id makes a repetition safe.
            return await self._post_once(target, address, message)

    async def _post_once(
        self, target: Target, address: Address, message: Message
    ) -> tuple[int, dict[str, str]]:
        secure = target.url.scheme == "https"
        async with self._session.post(
            target.at(address),
            data=message.body,
            headers=_FIXED_HEADERS | {"Host": target.host_header} | message.headers,
            allow_redirects=False,
            ssl=self._ssl,
            server_hostname=target.host if secure else None,
        ) as response:
            await _drop_body(response)
            retry_after = response.headers.get("Retry-After")
            return response.status, {} if retry_after is None else {"Retry-After": retry_after}


async def _drop_body(response: aiohttp.ClientResponse) -> None:
    """Reads at most 4 KiB for at most a second, so that the connection can be kept; else closes it. The
    status has said all: what follows it changes nothing."""
    left = MAX_ANSWER
    try:
        async with asyncio.timeout(ANSWER_BODY_S):
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
    except (TimeoutError, aiohttp.ClientError):
        response.close()
    if not response.content.at_eof():
        response.close()


def _cause(error: Exception) -> str:
    """One line for the agency's staff."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the endpoint's certificate was not accepted: {error.certificate_error}"[:300]
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to the endpoint: {error.os_error.strerror or error.os_error}"[:300]
    return f"the connection failed: {error or type(error).__name__}"[:300]
