"""What a handler gets: the call, and the parts of the hub behind it. Made once in `server.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from auth.principal import Principal
from hub.api.cursors import Cursors
from hub.api.limits import RateLimit
from hub.api.metrics import HttpMetrics
from hub.api.proxies import Peer, peer_of
from hub.api.settings import ApiSettings
from hub.ports.clock import Clock
from hub.ports.webhooks import WebhookDesk
from hub.service.access import Access
from hub.service.files import Files
from hub.service.hub import Hub
from hub.service.kafka_agencies import KafkaAgencies
from hub.service.once import Once
from hub.service.rights import require_scope
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

Readiness = Callable[[], tuple[bool, dict[str, Any]]]
"""Whether this process can commit now, and `{"status": "ready" or "degraded", "parts": {...}}`."""


@dataclass(slots=True)
class Context:
    hub: Hub
    access: Access
    files: Files
    webhooks: WebhookDesk
    once: Once
    kafka_agencies: KafkaAgencies
    settings: ApiSettings
    schemas: Schemas
    regions: Regions
    categories: Categories
    clock: Clock
    readiness: Readiness
    metrics: HttpMetrics
    cursors: Cursors
    rate_limit: RateLimit | None = None
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """openapi, asyncapi and docs, made when the routes are known."""


class Call:
    """One request. `principal` is whoever sent it; on an open route nobody is."""

    __slots__ = ("_principal", "context", "hub", "request", "trace_id")

    def __init__(self, request: web.Request, context: Context, trace_id: str) -> None:
        self.request = request
        self.context = context
        self.hub = context.hub
        self.trace_id = trace_id
        self._principal: Principal | None = None

    @property
    def principal(self) -> Principal:
        assert self._principal is not None, "an open route asked who is calling"
        return self._principal

    @property
    def client_id(self) -> str | None:
        return self._principal.client_id if self._principal else None

    @property
    def agency(self) -> str:
        return self.principal.agency

    def authenticate(self) -> None:
        """Raises `auth.errors.InvalidToken` (401), or TooMany (429)."""
        self._principal = self.context.access.authenticate(self.request.headers.get("Authorization"))
        if self.context.rate_limit is not None:
            self.context.rate_limit.take(self._principal.client_id)

    def recheck(self) -> None:
        """After a wait: raises `auth.errors.InvalidToken` if the token is no longer good."""
        self._principal = self.context.access.authenticate(self.request.headers.get("Authorization"))

    def require(self, scope: str) -> None:
        """403 without the scope, where no case is involved."""
        require_scope(self.principal, scope)

    def peer(self) -> Peer:
        return peer_of(
            self.request, self.context.settings.trusted_proxies, self.context.settings.tls_in_front
        )
