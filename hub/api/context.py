"""What a handler gets: the call, and the parts of the hub behind it. Made once in `server.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from auth.principal import Principal
from hub.api import session_cookie
from hub.api.cursors import Cursors
from hub.api.limits import RateLimit
from hub.api.metrics import HttpMetrics
from hub.api.proxies import Peer, peer_of
from hub.api.seldom import Seldom
from hub.api.settings import ApiSettings
from hub.api.singletons import require_single
from hub.ports.clock import Clock
from hub.ports.streams import Streams
from hub.ports.webhooks import Webhooks
from hub.service.access import Access
from hub.service.accounts_sign_in import SignIn
from hub.service.files import Files
from hub.service.hub import Hub
from hub.service.kafka_agencies import KafkaAgencies
from hub.service.once import Once
from hub.service.rights import allow_without_case, require_scope
from hub.service.sessions import Signed
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
    webhooks: Webhooks
    streams: Streams
    sign_in: SignIn
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
    store_away: Seldom = field(default_factory=Seldom)
    documents: Callable[[], Mapping[str, bytes]] = dict
    """Those of `all_documents`, made when somebody first asks: it takes 40 ms, and most processes of a hub
    are never asked."""


class Call:
    """One request. `principal` is whoever sent it; on an open route nobody is."""

    __slots__ = ("_principal", "_signed", "context", "hub", "request", "trace_id")

    def __init__(self, request: web.Request, context: Context, trace_id: str) -> None:
        self.request = request
        self.context = context
        self.hub = context.hub
        self.trace_id = trace_id
        self._principal: Principal | None = None
        self._signed: Signed | None = None

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

    @property
    def signed(self) -> Signed | None:
        """The officer's session, where one came by it rather than by a token."""
        return self._signed

    def authenticate(self) -> None:
        """By token, or without one by an officer's session. Raises HeaderTwice (400),
        `auth.errors.InvalidToken` (401), Forbidden for a write that may be another site's (403), or TooMany
        (429)."""
        require_single(self.request)
        self._identify()
        if self.request.method not in session_cookie.SAFE_METHODS:
            self.require_own_page()
        assert self._principal is not None
        if self.context.rate_limit is not None:
            self.context.rate_limit.take(self._principal.client_id)

    def require_own_page(self) -> None:
        """403 for what another site may have made an officer's browser send. A token is no browser's."""
        signed, sessions = self._signed, self.context.sign_in.sessions
        if signed is not None:
            session_cookie.require_csrf(
                self.request,
                self.context.settings.public_url,
                lambda token: sessions.csrf_matches(token, signed),
            )

    def recheck(self) -> None:
        """After a wait: raises `auth.errors.InvalidToken` if token or session are no longer good."""
        self._identify()

    def _identify(self) -> None:
        authorization = self.request.headers.get("Authorization")
        public_url = self.context.settings.public_url
        cookie = session_cookie.read(self.request, public_url) if authorization is None else None
        if cookie is None:
            self._principal = self.context.access.authenticate(authorization)
            return
        self._signed = self.context.sign_in.sessions.authenticate(cookie)
        self._principal = self._signed.principal

    def require(self, scope: str) -> None:
        """403 without the scope, where no case is involved."""
        require_scope(self.principal, scope)

    def allow(self, action: str) -> None:
        """403 for who may not do an action that no case is involved in: a scope may be of several actions."""
        allow_without_case(self.principal, action)

    def peer(self) -> Peer:
        return peer_of(
            self.request, self.context.settings.trusted_proxies, self.context.settings.tls_in_front
        )
