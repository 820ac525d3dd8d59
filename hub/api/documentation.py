"""All documents about the API as bytes, made once at the start."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from hub.api.asyncapi import asyncapi
from hub.api.docs_page import docs_page
from hub.api.openapi import openapi
from hub.api.route import Route
from schemas.registry import Registry as Schemas


def all_documents(routes: Sequence[Route], schemas: Schemas, public_url: str) -> dict[str, bytes]:
    """openapi, asyncapi, docs, and docs-policy: the page's Content-Security-Policy."""
    described = openapi(routes, schemas, public_url)
    page, policy = docs_page(described)
    return {
        "openapi": orjson.dumps(described),
        "asyncapi": orjson.dumps(asyncapi(schemas, public_url)),
        "docs": page.encode(),
        "docs-policy": policy.encode("ascii"),
    }
