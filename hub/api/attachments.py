"""Attachments: the file itself as the body, both ways."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from aiohttp import web

from hub.api import bodies
from hub.api.answers import answer, cut_where_it_fails, stream
from hub.api.context import Call
from hub.api.endpoint import common_headers
from hub.api.queries import no_query
from hub.api.writes import idempotency_of
from hub.errors import Invalid, NotFound, Unavailable, UnsupportedMediaType

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


async def upload(call: Call) -> web.Response:
    """201 `{"id", "media_type", "size"}`; the id is the SHA-256, so the same file twice is the same id."""
    request, files = call.request, call.context.files
    files.require_scope(call.principal)
    declared = bodies.media_type_of(request)
    if declared is None:
        raise UnsupportedMediaType("Say in Content-Type what kind of file it is, such as image/jpeg.")
    if declared == "multipart/form-data":
        raise UnsupportedMediaType("Send the file itself as the body, not a form that holds it.")
    bodies.refuse_compressed(request)
    if request.content_length is not None and request.content_length > files.max_bytes:
        raise bodies.too_large(files.max_bytes)
    idempotency_of(call, b"")  # a key that is none is refused before the file is read
    digest = digest_of(request.headers.get("Repr-Digest"))

    async def once(sha256: str, record: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        # Recorded again it is the same file, under the same id, and its day begins anew.
        idempotency = idempotency_of(call, bytes.fromhex(sha256))
        return await call.context.once.run(idempotency, record, lambda _: record())

    chunks = bodies.pieces(request.content)
    stored = await files.receive(call.principal, chunks, declared, digest, once)
    location = f"{call.context.settings.public_url}/v1/attachments/{stored['id']}"
    return answer(stored, 201, {"Location": location})


async def download(call: Call) -> web.StreamResponse:
    sha256 = call.request.match_info["sha256"]
    if not _SHA256.fullmatch(sha256):
        raise NotFound("There is no such file, or nothing that you may see names it.")
    file = await call.context.files.open(call.principal, sha256)
    no_query(call.request)
    try:
        first = await asyncio.to_thread(_next, file.pieces)
    except OSError as error:
        raise Unavailable("The file cannot be read now; try again later.", retry_after_s=5) from error
    headers = {
        "Content-Disposition": f'attachment; filename="{sha256}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode('ascii')}:",
    }
    response = stream(file.media_type, headers=headers | common_headers(call))
    if file.size is not None:
        response.content_length = file.size
    await response.prepare(call.request)
    piece = first
    with cut_where_it_fails(call.request):
        while piece:
            await response.write(piece)
            piece = await asyncio.to_thread(_next, file.pieces)
        await response.write_eof()
    return response


def digest_of(header: str | None) -> bytes | None:
    """The SHA-256 of `Repr-Digest` (RFC 9530); algorithms that the hub does not check are passed over."""
    if header is None:
        return None
    for member in header.split(","):
        if not member.strip().startswith("sha-256="):
            continue
        found = _DIGEST.fullmatch(member.strip())
        try:
            if found:
                return base64.b64decode(found[1], validate=True)
        except binascii.Error:
            pass  # answered below, like any other form that is wrong
        detail = "Write it as sha-256=:BASE64:, the 32 bytes of the file's SHA-256 in base64."
        raise Invalid("The header Repr-Digest cannot be read.", parameters=[("Repr-Digest", detail)])
    return None


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")
