"""Request bodies: media type, size while they are read, strict JSON."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import StreamReader, web

from hub.errors import NotJson, Problem, TooLarge, UnsupportedMediaType
from hub.service import strict_json

WHOLE_S: Final = 60.0
"""So long may a body of at most a mebibyte take to arrive."""
STALLED_S: Final = 60.0
"""So long may nothing of a file or a batch arrive."""
CUT: Final = "The body ended before it was complete. Send it again."


class Stalled(Problem):
    """408; the connection is closed after it (`answers.problem`)."""

    status, code, title = 408, "request-timeout", "The body did not arrive"


_MEDIA_TYPE: Final = re.compile(
    r"\s*([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)\s*((?:;\s*[A-Za-z0-9-]+=(?:\"[^\"]*\"|[^\s;\"]*)\s*)*)"
)
_CHARSET: Final = re.compile(r"charset=\"?([^;\"\s]*)", re.IGNORECASE)


def media_type_of(request: web.BaseRequest) -> str | None:
    """The declared media type in lower case without parameters; None when absent or malformed."""
    found = _MEDIA_TYPE.fullmatch(request.headers.get("Content-Type", ""))
    return found[1].lower() if found else None


def require_media_type(request: web.BaseRequest, wanted: str) -> None:
    """415 unless the body is declared as `wanted`, in UTF-8 and not compressed."""
    declared = request.headers.get("Content-Type", "")
    if declared == wanted and "Content-Encoding" not in request.headers:
        return
    if media_type_of(request) != wanted:
        raise UnsupportedMediaType(
            f"The body must be sent as {wanted}; set the header 'Content-Type: {wanted}'."
        )
    charset = _CHARSET.search(declared)
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("JSON is UTF-8 (RFC 8259, section 8.1); convert the text before sending.")
    refuse_compressed(request)


def refuse_compressed(request: web.BaseRequest) -> None:
    """415 for a compressed body: a small one could unpack to any size."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("Compressed bodies are not taken; send it without Content-Encoding.")


async def read(request: web.BaseRequest, most: int) -> bytes:
    """The body; 413 as soon as it is known to be longer than `most` bytes. What was not read then, aiohttp
    reads and drops for up to 10 s after the answer (its lingering time), so that the answer arrives."""
    declared = request.content_length
    if declared is not None and declared > most:
        raise too_large(most)
    content = request.content
    chunks: list[bytes] = []
    size = 0
    try:
        if content.is_eof():  # all of it came with the headers: no clock is needed
            data = content.read_nowait(-1)
            if len(data) > most:
                raise too_large(most)
            return data
        async with asyncio.timeout(WHOLE_S):
            while chunk := await content.readany():
                size += len(chunk)
                if size > most:
                    raise too_large(most)
                chunks.append(chunk)
    except TimeoutError:
        raise Stalled(f"The body did not arrive within {WHOLE_S:g} s. Send it again.") from None
    except web.RequestPayloadError as broken:
        raise NotJson(CUT) from broken
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def pieces(content: StreamReader) -> AsyncIterator[bytes]:
    """A body of any length as it comes. 408 when nothing comes for STALLED_S, 400 when it is cut off."""
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                piece = await content.readany()
        except TimeoutError:
            raise Stalled(f"Nothing of the body came for {STALLED_S:g} s. Send it again.") from None
        except web.RequestPayloadError as broken:
            raise NotJson(CUT) from broken
        if not piece:
            return
        yield piece


async def read_json(request: web.BaseRequest, most: int) -> tuple[bytes, Any]:
    """The body as bytes and as a document."""
    require_media_type(request, "application/json")
    data = await read(request, most)
    return data, strict_json.parse(data)


def too_large(most: int) -> TooLarge:
    return TooLarge(
        f"The body is longer than {most:,} bytes, the most that is taken here. Send less at once."
    )
