"""/openapi.json (OpenAPI 3.1), made from the page of routes and the shared schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from auth.scopes import SCOPES
from hub.api import session_cookie
from hub.api.answers import JSON, PROBLEM
from hub.api.openapi_examples import EXAMPLES, composed
from hub.api.openapi_parts import ANSWER_HEADERS, HEADERS, PATH, PROBLEMS, QUERY
from hub.api.openapi_shapes import SHAPES, ref
from hub.api.route import Route
from schemas.registry import Registry as Schemas
from schemas.registry import UnknownSchema

Json = dict[str, Any]
OFFICERS: Final[list[dict[str, list[str]]]] = [{"session": [], "csrf": []}]
VERSION: Final = "1.0.0"
PLAIN: Final = ("object", "text", "binary")
_DEFINED: Final = re.compile(r"/schemas/definitions/1\.json#/\$defs/([A-Za-z0-9_]+)")
_NAMED: Final = re.compile(r"/schemas/([A-Za-z0-9._-]+)/1\.json")
ABOUT: Final = """Every route under /v1 takes a bearer token from POST /oauth/token, or an officer's session
(POST /v1/session). Errors are problem details (RFC 9457) with a stable `type` and, for a document or a
query that does not fit, an entry of `errors` for each flaw. Checks come in this order: 401, 404, 410, 403,
413/415/400, 422, 412, 409; 400 comes first for a header such as Authorization or Idempotency-Key that is
there twice. An unknown address is 404, a method that is not there 405 with `Allow`. Times are RFC 3339, ids
UUIDv7, cursors opaque."""


def openapi(routes: Sequence[Route], schemas: Schemas, public_url: str) -> Json:
    """The whole document."""
    components = {**shared_schemas(schemas), **SHAPES}
    examples = {**_shared_examples(schemas), **EXAMPLES}
    examples |= composed(examples)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, examples)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Simpul",
            "version": VERSION,
            "summary": "A federated hub for citizens' complaints",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {_name(status): _refusal(status) for status in PROBLEMS},
            "headers": ANSWER_HEADERS,
            "securitySchemes": {"oauth2": _security(public_url), **_cookies()},
        },
    }


def shared_schemas(schemas: Schemas) -> Json:
    """The shared schemas as components; the common definitions are named `shared.<name>`."""
    made: Json = {}
    for name, version in schemas.names():
        if version == 1:
            schema = schemas.schema(name, version)
            made |= {f"shared.{part}": _moved(found) for part, found in schema.get("$defs", {}).items()}
            if name != "definitions":
                made[name] = _moved({k: v for k, v in schema.items() if k not in ("$id", "$schema", "$defs")})
    return made


def _moved(node: Any) -> Any:
    """The same schema with its references inside this document."""
    if isinstance(node, list):
        return [_moved(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _target(value) if key == "$ref" else _moved(value) for key, value in node.items()}


def _target(reference: Any) -> Any:
    if not isinstance(reference, str):
        return _moved(reference)
    if found := _DEFINED.fullmatch(reference):
        return f"#/components/schemas/shared.{found[1]}"
    if found := _NAMED.fullmatch(reference):
        return f"#/components/schemas/{found[1]}"
    raise ValueError(f"a schema refers to {reference}, which is no component")


def _shared_examples(schemas: Schemas) -> Json:
    found: Json = {}
    for name, _ in schemas.names():
        try:
            found[name] = schemas.example(name)
        except UnknownSchema:
            continue  # the common definitions are no document of their own
    return found


def _operation(route: Route, examples: Mapping[str, Any]) -> Json:
    made: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "responses": _responses(route, examples),
    }
    if route.about:
        made["description"] = route.about
    if parameters := _parameters(route):
        made["parameters"] = parameters
    if route.takes:
        content = {route.media: _content(route.takes, examples)}
        made["requestBody"] = {"required": not route.body_optional, "content": content}
    if route.secured:
        made["security"] = [{"oauth2": [route.scope] if route.scope else []}, *OFFICERS]
    return made


def _parameters(route: Route) -> list[Json]:
    names = re.findall(r"\{([a-z0-9]+)\}", route.path)
    path = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(route, name)} for name in names
    ]
    return path + [QUERY[name] for name in route.query] + [HEADERS[name] for name in route.headers]


def _path_schema(route: Route, name: str) -> Json:
    return PATH["agency" if route.path.startswith("/v1/agencies") else name]


def _responses(route: Route, examples: Mapping[str, Any]) -> Json:
    names = ("X-Correlation-Id", *route.answer_headers)
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    made: Json = {}
    for status, shape in sorted(route.gives.items()):
        made[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "headers": headers,
            "content": {route.gives_media: _content(shape, examples)},
        }
    for status in route.refusals():
        made.setdefault(str(status), {"$ref": f"#/components/responses/{_name(status)}"})
    return made


def _content(shape: str, examples: Mapping[str, Any]) -> Json:
    made: Json = {"schema": SHAPES[shape] if shape in PLAIN else ref(shape)}
    return made | ({"example": examples[shape]} if shape in examples else {})


def _refusal(status: int) -> Json:
    headers = {"X-Correlation-Id": {"$ref": "#/components/headers/X-Correlation-Id"}}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/WWW-Authenticate"}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    problem = PROBLEMS[status]
    return {
        "description": problem.title,
        "headers": headers,
        "content": {PROBLEM: {"schema": ref("problem"), "example": problem.document()}},
    }


def _name(status: int) -> str:
    return f"Problem{status}"


def _cookies() -> Json:
    """An officer's browser; with it goes the CSRF token, on writes."""
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": session_cookie.SECURE_NAME,
                    "description": f"From POST /v1/session; by plain http `{session_cookie.NAME}`. What it "
                    "may do follows from the officer's role."},
        "csrf": {"type": "apiKey", "in": "header", "name": session_cookie.CSRF_HEADER,
                 "description": "Needed with a session, for anything but reading, and for reading a "
                 "reporter's identity, which is recorded."},
    }  # fmt: skip


def _security(public_url: str) -> Json:
    flow = {"tokenUrl": f"{public_url}/oauth/token", "scopes": dict(SCOPES)}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


__all__ = ["JSON", "openapi", "shared_schemas"]
