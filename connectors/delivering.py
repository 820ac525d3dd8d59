"""[deliver]: an event of the hub into the agency's own system, as an HTTP call or as rows in a table."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import orjson

from connectors.config import check_http_url, secret
from connectors.database import Database
from connectors.effects import Effect, apply_effect, check_effect
from connectors.errors import ConfigRefused, ConnectorError, EndpointWrong, SystemAway, SystemBusy
from connectors.events import PARAMETERS, parameters_of
from connectors.options import option
from connectors.system_answers import Said, judge, remedy
from connectors.system_copies import check_erased
from connectors.wording import of_section
from connectors.words import retry_after_s, why_unreachable


class DeliveryRefused(ConnectorError):
    """The agency's system answered, and took this event not."""


@dataclass(frozen=True, kw_only=True)
class DeliverHttp:
    """[deliver.http]: the event is POSTed as it came, a CloudEvent in JSON."""

    url: str = option(reason="the address of the agency's system")
    headers: dict[str, str] = option({}, reason="fixed headers")
    headers_env: dict[str, str] = option({}, reason="header = the environment variable with its value")
    timeout_s: float = option(10.0, reason="how long one call may take", minimum=1, maximum=300)
    at_once: int = option(
        4, reason="how many cases and threads are called about at the same time", minimum=1, maximum=32
    )


@dataclass(frozen=True, kw_only=True)
class Deliver:
    """[deliver]: give http or table."""

    event_types: list[str] = option(["forwarding.sent"], reason='which events are handed over; ["*"] for all')
    http: DeliverHttp | None = option(None, reason="as an HTTP call")
    table: Effect | None = option(None, reason="as rows in a table")
    erased: Effect | None = option(None, reason="how the rows of a case go that was erased in the hub")


def check_deliver(deliver: Deliver, has_database: bool) -> None:
    if (deliver.http is None) == (deliver.table is None):
        raise ConfigRefused(
            "deliver", "needs either http or table", "give one of [deliver.http] and [deliver.table]"
        )
    if deliver.http:
        check_http_url("deliver.http.url", deliver.http.url)
    if deliver.erased and not deliver.table:
        remedy = 'an HTTP call is told by "reporter.erased" in deliver.event_types'
        raise ConfigRefused("deliver.erased", "is for [deliver.table]", remedy)
    if deliver.erased:
        check_erased(deliver.erased)
    if deliver.table:
        check_effect(deliver.table, "deliver.table", PARAMETERS)
        if not has_database:
            raise ConfigRefused("database", "is missing", "[deliver.table] needs [database] with url_env")


class TableHandler:
    """Each event becomes rows, once."""

    def __init__(self, effect: Effect, database: Database, zone: ZoneInfo) -> None:
        self._effect, self._database, self._zone = effect, database, zone

    async def handle(self, event: dict[str, Any]) -> str:
        parameters = parameters_of(event, self._zone)
        with of_section("[deliver.table]"):
            return await self._database.write(lambda session: apply_effect(session, self._effect, parameters))


class HttpHandler:
    """Each event is POSTed until a 2xx; it may arrive twice, with the same `id` and Idempotency-Key. Open it
    with `async with`: its connections are kept."""

    def __init__(self, settings: DeliverHttp, on_answer: Callable[[], None]) -> None:
        """`on_answer` is called when the system took or refused an event as its own decision."""
        self._settings, self._on_answer = settings, on_answer
        self._headers, self._where = http_headers(settings), f"deliver.http.url: {settings.url}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpHandler:
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout_s)
        self._session = aiohttp.ClientSession(
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # the body is not read: it may be packed in any way
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def handle(self, event: dict[str, Any]) -> str:
        headers = {
            "Content-Type": "application/cloudevents+json",
            "Idempotency-Key": str(event["id"]),
            **self._headers,
        }
        if self._session is None:
            raise RuntimeError("HttpHandler is used outside `async with`")
        try:
            async with self._session.post(
                self._settings.url, data=orjson.dumps(event), headers=headers, allow_redirects=False
            ) as response:
                self._take(response.status, response.headers)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise SystemAway(f"{self._where} does not answer ({why_unreachable(error)})") from error
        return ""

    def _take(self, status: int, headers: Mapping[str, str]) -> None:
        said = judge(status, "Retry-After" in headers)
        answers = f"{self._where} answers {status}"
        if said is Said.BUSY:
            raise SystemBusy(f"{answers} and asks to wait", retry_after_s(headers))
        if said in (Said.DOWN, Said.GONE):
            mend = remedy(status)
            raise EndpointWrong(f"{answers}; {mend}") if mend else SystemAway(answers)
        self._on_answer()
        if said is Said.REFUSED:
            raise DeliveryRefused(f"{answers} to this event")


def http_headers(settings: DeliverHttp) -> dict[str, str]:
    """The headers with their secrets; raises ConfigRefused when a variable is not set."""
    secrets = {
        name: secret(variable, f"deliver.http.headers_env.{name}")
        for name, variable in settings.headers_env.items()
    }
    return {**settings.headers, **secrets}
