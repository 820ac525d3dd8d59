"""Kind `webhook`: a ministry's own address, to which the hub POSTs signed events (Standard Webhooks).

A 2xx is answered only after the event is durable in the spool; the same event again does nothing.
"""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from aiohttp import web
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from connectors import ministry
from connectors.config import secret
from connectors.connector import Connector
from connectors.errors import ConfigRefused
from connectors.events import is_event
from connectors.inbox import Inbox
from connectors.ministry import MinistryConfig, add_replies, build_ministry, wanting
from connectors.options import option
from connectors.reply_endpoint import Server, read_body, serve
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """[webhook]: where the hub's calls arrive."""

    listen: str = option(
        "127.0.0.1:8088", reason="address and port; put TLS and the public name in front of it"
    )
    path: str = option("/hooks/simpul", reason="the path that the hub was given")
    secret_envs: list[str] = option(
        ["SIMPUL_WEBHOOK_SECRET"],
        reason="environment variables with the whsec_ secrets; two while one is being rotated",
    )


@dataclass(frozen=True, kw_only=True)
class WebhookConfig(MinistryConfig):
    """A whole configuration of this kind: that of `mailbox` with [webhook] beside it."""

    webhook: WebhookSettings


def check_config(config: WebhookConfig) -> None:
    """What one key alone cannot show."""
    ministry.check_config(config)
    if not config.webhook.path.startswith("/"):
        raise ConfigRefused("webhook.path", f"is {config.webhook.path!r}", "begin it with /")
    if not config.webhook.secret_envs:
        raise ConfigRefused(
            "webhook.secret_envs", "is empty", "name a variable with the secret of PUT /v1/webhook"
        )


def build(config: WebhookConfig, spool: Spool) -> Connector:
    """The loops of this kind, and the server that receives."""
    connector, inbox, applying = build_ministry(config, spool)
    wanted = wanting(config)
    receiver = Receiver(inbox, verifiers(config.webhook), wanted, applying.wake)
    connector.servers.append(receiver.server(config.webhook))
    add_replies(config, connector, connector.hub)
    return connector


def verifiers(settings: WebhookSettings) -> list[Webhook]:
    """One verifier a secret; raises ConfigRefused for one that is not set or is no secret."""
    found = []
    for variable in settings.secret_envs:
        try:
            found.append(Webhook(secret(variable, "webhook.secret_envs")))
        except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
            remedy = "it begins with whsec_ and was shown once by PUT /v1/webhook"
            raise ConfigRefused(
                "webhook.secret_envs", f"{variable} holds no webhook secret", remedy
            ) from error
    return found


class Receiver:
    """Verifies, keeps, answers."""

    def __init__(
        self,
        inbox: Inbox,
        verifiers: Sequence[Webhook],
        wanted: Callable[[Mapping[str, Any]], bool],
        wake: Callable[[], None],
    ) -> None:
        self._inbox, self._verifiers = inbox, verifiers
        self._wanted, self._wake = wanted, wake
        self._complained_at_s = float("-inf")

    def server(self, settings: WebhookSettings) -> Server:
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_post(settings.path, self.receive)
        return lambda stop: serve(application, settings.listen, "webhook.listen", stop)

    async def receive(self, request: web.Request) -> web.Response:
        """204 once the event is durable, 401 for a wrong signature, 400 for what is no event; 408 and 413 as
        `read_body` says."""
        body = await read_body(request)
        if not self._is_genuine(body, request.headers):
            self._complain()
            return web.Response(status=401, text="the signature does not fit this endpoint's secret")
        event = _event(body)
        if event is None:
            return web.Response(status=400, text="a CloudEvent with id, type, time and subject is expected")
        self._inbox.take(event, self._wanted(event))
        self._wake()
        return web.Response(status=204)

    def _is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        lower = {name.lower(): value for name, value in headers.items()}
        return any(_verifies(verifier, body, lower) for verifier in self._verifiers)

    def _complain(self) -> None:
        """Once a minute at most: strangers may call."""
        if time.monotonic() - self._complained_at_s >= 60:
            self._complained_at_s = time.monotonic()
            log.warning("a call with a wrong signature was refused; was the hub's secret rotated?")


def _verifies(verifier: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    try:
        verifier.verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):
        return False
    return True


def _event(body: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return event if is_event(event) else None
