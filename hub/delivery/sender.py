"""One signed HTTP call to one checked address: no redirects, cookies, proxies or unbounded answers."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from yarl import URL

from hub.delivery.answers import Answer, Outcome, judge
from hub.delivery.connections import Connections, Route
from hub.delivery.settings import DeliverySettings
from hub.delivery.targets import Target, TargetRefused, Targets, Unresolved
from hub.delivery.wire import NoAnswer, Reply, Wire
from hub.ports.clock import Clock

MAX_CAUSE: Final = 300
KEPT_HEADS: Final = 1024


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What is sent: `headers` are the Standard Webhooks headers, `body` the CloudEvent."""

    url: URL
    headers: dict[str, str]
    body: bytes


class Sender:
    """Connections are kept for a few seconds, per address, port and TLS name. `close` it in the end."""

    def __init__(
        self,
        targets: Targets,
        settings: DeliverySettings,
        clock: Clock,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = targets
        self._clock = clock
        self._total_s = settings.total_timeout_s
        self._connect_s = settings.connect_timeout_s
        self._connections = Connections(settings.in_flight, settings.connect_timeout_s, ssl_context)

    def close(self) -> None:
        self._connections.close()

    async def send(self, call: SignedCall) -> Answer:
        """Resolves, checks, sends. Every failure is an Answer with its cause; only cancelling raises."""
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._total_s):
                target = await self._targets.check(call.url)
                reply = await self._call(target, request_bytes(call))
        except (TargetRefused, Unresolved) as refused:
            return Answer(Outcome.DOWN, str(refused))
        except _NoConnection as failed:
            return Answer(Outcome.DOWN, str(failed), latency_s=self._clock.monotonic() - started)
        except NoAnswer as none:
            cause = f"the connection failed: {none}"[:MAX_CAUSE]
            return Answer(Outcome.DOWN, cause, latency_s=self._clock.monotonic() - started)
        except TimeoutError:
            return Answer(Outcome.DOWN, f"no answer within {self._total_s:g} s", latency_s=self._total_s)
        return judge(reply.status, reply.retry_after, self._clock.monotonic() - started)

    async def _call(self, target: Target, request: bytes) -> Reply:
        *others, last = target.routes
        for route in others:
            try:
                return await self._post(route, request)
            except _Unreachable:
                continue  # nothing was sent; the next address may answer
        return await self._post(last, request)

    async def _post(self, route: Route, request: bytes) -> Reply:
        wire = self._connections.kept(route)
        if wire is not None:
            try:
                return await wire.ask(request)
            except NoAnswer as none:
                if not none.untouched:
                    raise
                # The server closed the kept connection meanwhile. The id makes a repetition safe.
        wire = await self._connect(route)
        return await wire.ask(request)

    async def _connect(self, route: Route) -> Wire:
        try:
            return await self._connections.connect(route)
        except ssl.SSLCertVerificationError as error:
            raise _NoConnection(f"the endpoint's certificate was not accepted: {error}") from error
        except ssl.SSLError as error:
            raise _NoConnection(f"no secure connection to the endpoint: {error}") from error
        except TimeoutError as error:
            raise _Unreachable(f"no connection to the endpoint within {self._connect_s:g} s") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise _Unreachable(f"no connection to the endpoint: {reason}") from error


class _NoConnection(Exception):
    """Its message is one line for the agency's staff."""

    def __str__(self) -> str:
        return super().__str__()[:MAX_CAUSE]


class _Unreachable(_NoConnection):
    """Nobody there was spoken to."""


def request_bytes(call: SignedCall) -> bytes:
    """Head and body in one piece."""
    headers = "".join([f"{name}: {value}\r\n" for name, value in call.headers.items()])
    body = call.body
    return b"%b%bContent-Length: %d\r\n\r\n%b" % (_head(call.url), headers.encode(), len(body), body)


@lru_cache(KEPT_HEADS)
def _head(url: URL) -> bytes:
    """What is the same for all calls of one URL, which is ASCII without control characters by its form."""
    return (
        f"POST {url.raw_path_qs} HTTP/1.1\r\n"
        f"Host: {url.raw_authority}\r\n"
        "Content-Type: application/cloudevents+json\r\n"
        "User-Agent: Simpul/1\r\n"
        "Accept: */*\r\n"
    ).encode("ascii")
