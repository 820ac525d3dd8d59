"""The lines of an NDJSON body as they stream in, each bounded; nothing but the line at hand is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import StreamReader

from hub.api.bodies import pieces

LineOrTooLong = bytes | None
"""A line without its line break, or None for one that was longer than allowed."""


async def numbered_lines(content: StreamReader, most: int) -> AsyncIterator[tuple[int, LineOrTooLong]]:
    """(number from 1, line) of every line that is not blank; blank ones are counted all the same."""
    number, held, size = 1, [b""], 0
    too_long = False
    async for chunk in pieces(content):
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            size += end - start
            if too_long or size > most:
                yield number, None
            else:
                held.append(chunk[start:end])
                line = b"".join(held).strip()
                if line:
                    yield number, line
            number, held, size, too_long = number + 1, [], 0, False
            start = end + 1
        size += len(chunk) - start
        if size > most:
            held, too_long = [], True  # the rest of the line is read and dropped
        elif start < len(chunk):
            held.append(chunk[start:])
    last = b"".join(held).strip()
    if too_long or last:
        yield number, None if too_long else last
