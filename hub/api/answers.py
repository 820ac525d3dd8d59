"""Every answer that leaves the API: JSON bytes, and headers that are the same for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web

from hub.errors import Problem

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
NDJSON: Final = "application/x-ndjson"

SECURE: Final = {
    "Server": "simpul",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_JSON_HEADERS: Final = SECURE | {"Content-Type": JSON}
PUBLIC: Final = {"Cache-Control": "public, max-age=300"}


def answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """`document` as JSON."""
    return _made(orjson.dumps(document), status, headers, _JSON_HEADERS)


def raw(
    body: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Bytes that are ready."""
    return _made(body, status, {"Content-Type": media_type, **(headers or {})}, SECURE)


def problem(refused: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    """RFC 9457, with `Retry-After` where the problem names a time."""
    given = {"Content-Type": PROBLEM, **(headers or {})}
    if refused.retry_after_s is not None:
        given["Retry-After"] = str(refused.retry_after_s)
    response = _made(dumps(refused.document()), refused.status, given, SECURE)
    if refused.status == HTTPStatus.REQUEST_TIMEOUT:
        response.force_close()  # what still comes of the body belongs to no request
    return response


def stream(
    media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """An answer that is written piece by piece."""
    return web.StreamResponse(
        status=status, headers={**SECURE, "Content-Type": media_type, **(headers or {})}
    )


@contextmanager
def cut_where_it_fails(request: web.Request) -> Iterator[None]:
    """Around the pieces of an answer that is on its way: no other can follow it, and who was told a length
    would wait for the rest, so its connection ends with what fails."""
    try:
        yield
    except BaseException:
        if request.transport is not None:
            request.transport.abort()
        raise


def dumps(document: Any) -> bytes:
    """JSON of a document that may quote what a caller sent, lone surrogates included."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return orjson.dumps(_clean(document))


def etag(version: int) -> dict[str, str]:
    """The header by which `If-Match` later names this version."""
    return {"ETag": f'"{version}"'}


def _made(
    body: bytes, status: int, headers: Mapping[str, str] | None, base: Mapping[str, str]
) -> web.Response:
    return web.Response(body=body, status=status, headers={**base, **headers} if headers else base)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_clean(name): _clean(inner) for name, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, list | tuple) else value
