"""All documents about the API as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from hub.api.asyncapi import asyncapi
from hub.api.docs_page import docs_page
from hub.api.openapi import openapi
from hub.api.route import Route
from hub.api.routes import MOST
from hub.api.settings import MIB
from schemas.registry import Registry as Schemas


def all_documents(
    routes: Sequence[Route], schemas: Schemas, public_url: str, topic_prefix: str, max_attachment_bytes: int
) -> dict[str, bytes]:
    """openapi, asyncapi, docs, and docs-policy: the page's Content-Security-Policy."""
    most = _size(max_attachment_bytes)
    told = [replace(route, about=route.about.replace(MOST, most)) for route in routes]
    described = openapi(told, schemas, public_url)
    page, policy = docs_page(described)
    return {
        "openapi": orjson.dumps(described),
        "asyncapi": orjson.dumps(asyncapi(schemas, public_url, topic_prefix)),
        "docs": page.encode(),
        "docs-policy": policy.encode("ascii"),
    }


def _size(count: int) -> str:
    """10 MiB where it is a whole number of them, else in bytes."""
    whole, rest = divmod(count, MIB)
    return f"{count:,} bytes" if rest else f"{whole} MiB"
