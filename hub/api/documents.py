"""The documents about the hub: schemas, OpenAPI, AsyncAPI and the page that renders them."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from hub.api.answers import JSON, PUBLIC, raw
from hub.api.context import Call
from hub.errors import NotFound
from schemas.registry import UnknownSchema

FIRST_PAGE: Final = b"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Simpul</title></head>
<body><h1>Simpul</h1><p>A hub for citizens' complaints; agencies' systems speak to it.</p>
<ul><li><a href="docs">Every route, to read</a></li>
<li><a href="openapi.json">The same as OpenAPI</a>, <a href="asyncapi.json">the events as AsyncAPI</a></li>
<li><a href="readyz">Is it ready</a></li></ul></body></html>
"""


async def first_page(call: Call) -> web.Response:
    """For whoever opens the hub's bare address."""
    return raw(FIRST_PAGE, "text/html; charset=utf-8", headers=PUBLIC)


async def schema(call: Call) -> web.Response:
    name, version = call.request.match_info["name"], call.request.match_info["version"]
    try:
        found = call.context.schemas.document(name, int(version) if version.isdecimal() else 0)
    except (UnknownSchema, ValueError):
        raise NotFound("There is no schema of that name and version.") from None
    return raw(found, "application/schema+json", headers=PUBLIC)


async def openapi(call: Call) -> web.Response:
    return raw(call.context.documents()["openapi"], JSON, headers=PUBLIC)


async def asyncapi(call: Call) -> web.Response:
    return raw(call.context.documents()["asyncapi"], JSON, headers=PUBLIC)


async def docs(call: Call) -> web.Response:
    policy = call.context.documents()["docs-policy"].decode("ascii")
    headers = PUBLIC | {"Content-Security-Policy": policy}
    return raw(call.context.documents()["docs"], "text/html; charset=utf-8", headers=headers)
