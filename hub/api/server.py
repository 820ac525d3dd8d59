"""The aiohttp application, made from the page of routes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from hub.api import answers
from hub.api.context import Call, Context, Readiness
from hub.api.coordination_routes import C, F
from hub.api.cursors import Cursors
from hub.api.documentation import all_documents
from hub.api.endpoint import endpoint
from hub.api.limits import RateLimit
from hub.api.metrics import HttpMetrics
from hub.api.protocol import Runner, expected
from hub.api.route import Route
from hub.api.routes import ROUTES
from hub.api.settings import ApiSettings
from hub.errors import NotFound, Problem
from hub.ports.clock import Clock
from hub.ports.streams import Streams
from hub.ports.webhooks import Webhooks
from hub.service.access import Access
from hub.service.accounts_sign_in import SignIn
from hub.service.files import Files
from hub.service.hub import Hub
from hub.service.kafka_agencies import KafkaAgencies
from hub.service.once import Once
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

PROBES: Final = ("/healthz", "/readyz", "/metrics")
BUSY: Final = frozenset((C, f"{C}/forwardings", f"{C}/verification", f"{F}/acceptance", f"{F}/answer"))
"""Paths that are asked for most. The router tries those with an id in them one after the other, 0.6 us each:
these come first."""
LINGERING_S: Final = 10.0
"""So long is the rest of a refused body read and dropped, so that the answer arrives."""


class MethodNotAllowed(Problem):
    status, code, title = 405, "method-not-allowed", "This method is not there"


def make_app(
    hub: Hub,
    access: Access,
    files: Files,
    webhooks: Webhooks,
    settings: ApiSettings,
    *,
    streams: Streams,
    sign_in: SignIn,
    once: Once,
    kafka_agencies: KafkaAgencies,
    schemas: Schemas,
    regions: Regions,
    categories: Categories,
    clock: Clock,
    readiness: Readiness,
    metrics: CollectorRegistry,
) -> web.Application:
    """The application, not yet listening; serve it with `make_runner`."""
    rate = settings.rate_limit_per_client_per_s
    context = Context(
        hub=hub,
        access=access,
        files=files,
        webhooks=webhooks,
        streams=streams,
        sign_in=sign_in,
        once=once,
        kafka_agencies=kafka_agencies,
        settings=settings,
        schemas=schemas,
        regions=regions,
        categories=categories,
        clock=clock,
        readiness=readiness,
        metrics=HttpMetrics(metrics),
        cursors=Cursors(hub.sealing.hub_digest),
        rate_limit=RateLimit(rate, clock.monotonic) if rate else None,
        documents=cache(
            lambda: all_documents(
                ROUTES, schemas, settings.public_url, settings.topic_prefix, files.max_bytes
            )
        ),
    )
    app = web.Application(client_max_size=settings.max_body_bytes)
    served_here = (r for r in ROUTES if not settings.probes_only or r.path in PROBES)
    for route in sorted(served_here, key=lambda r: r.path not in BUSY):
        served = endpoint(route.handler, route.path, context, secured=route.secured)
        for method in route.methods:
            app.router.add_route(method, route.path, served, expect_handler=expected)
    nowhere = endpoint(_nowhere, "(unknown)", context, secured=False)
    app.router.add_route("*", "/{anything:.*}", nowhere, expect_handler=expected)
    app.on_shutdown.append(lambda _: streams.close())
    return app


def make_runner(app: web.Application, **options: Any) -> Runner:
    """How the application must be run: bodies as they come (a compressed one is refused, not unpacked),
    no second access log, a refused body read to its end for a while so that the answer arrives."""
    return Runner(app, access_log=None, auto_decompress=False, lingering_time=LINGERING_S, **options)


async def _nowhere(call: Call) -> web.Response:
    """404 for an unknown path; 405 with `Allow` where only the method is wrong."""
    methods = allowed_methods(ROUTES, call.request.path)
    if not methods:
        raise NotFound("There is no such address; /docs lists those that there are.")
    names = ", ".join(methods)
    refused = MethodNotAllowed(f"Here {call.request.method[:20]!r} is not possible; possible: {names}.")
    return answers.problem(refused, {"Allow": names})


def allowed_methods(routes: Sequence[Route], path: str) -> list[str]:
    """The methods that `path` has, sorted."""
    found = (route for route in routes if _pattern(route.path).fullmatch(path))
    return sorted({name for route in found for name in route.methods})


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[a-z0-9]+\}", path)
    return re.compile("[^{}/]+".join(re.escape(part) for part in parts))
