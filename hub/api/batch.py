"""`POST /v1/complaints/batch`: NDJSON in, a line of answer for each, in constant memory.

Lines go to the writer in small chunks while the body still arrives. What came of them waits in an unlinked
temporary file, ids and problems only, and is sent after the body's end."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import structlog
from aiohttp import web

from hub.api import answers, bodies
from hub.api.context import Call
from hub.api.endpoint import common_headers
from hub.api.lines import LineOrTooLong, numbered_lines
from hub.errors import NotJson, Problem, TooLarge, Unavailable
from hub.service import strict_json
from hub.service.bulk import BulkIntake, Chunk
from hub.service.requests import Result
from hub.service.writer import BULK_CHUNK

log = structlog.get_logger(__name__)

CHUNKS_AHEAD: Final = 3
"""Chunks that may wait for the writer: it always has one to do while the next one is prepared."""
CHUNK_BYTES: Final = 1024 * 1024
PIECE: Final = 64 * 1024


async def submit_many(call: Call) -> web.StreamResponse:
    call.hub.desk.require_scope(call.principal)
    bodies.require_media_type(call.request, answers.NDJSON)
    with _spooling():
        opened = tempfile.TemporaryFile()  # noqa: SIM115  # closed below, where that may fail
    try:
        batch = _Batch(call, opened)
        await batch.take_in()
        call.context.metrics.batch_lines.observe(batch.lines)
        return await _send(call, opened)
    finally:
        _close(opened)


@contextmanager
def _spooling() -> Iterator[None]:
    """503 when the temporary file is refused. What was accepted by then stays accepted: sent again, its
    lines answer 200."""
    try:
        yield
    except OSError as error:
        log.warning("batch_spool_failed", cause=str(error))
        raise Unavailable(
            "The hub cannot keep the answers now. Lines before this are accepted; send all of it again, and "
            "those answer 200.",
            retry_after_s=5,
        ) from error


def _close(spool: IO[bytes]) -> None:
    """Closing writes what is buffered, and a full disk refuses that once more; the file is dropped anyway."""
    try:
        spool.close()
    except OSError as error:
        log.warning("batch_spool_failed", cause=str(error))


class _Batch:
    def __init__(self, call: Call, spool: IO[bytes]) -> None:
        settings, clock = call.context.settings, call.context.clock
        self._content = call.request.content
        self._most = settings.max_line_bytes
        self._intake = BulkIntake(call.hub, call.principal, settings.bulk_wait_s, clock.monotonic)
        self._spool = spool
        self._ahead: deque[tuple[list[int], Chunk]] = deque()
        self._numbers: list[int] = []
        self._documents: list[Any | Problem] = []
        self._bytes = 0
        self.lines = 0

    async def take_in(self) -> None:
        """Every line, to its durable result in the spool."""
        async for number, line in numbered_lines(self._content, self._most):
            self._numbers.append(number)
            self._documents.append(_parsed(line, self._most))
            self._bytes += len(line or b"")
            if len(self._numbers) == BULK_CHUNK or self._bytes >= CHUNK_BYTES:
                await self._hand_over()
        if self._numbers:
            await self._hand_over()
        while self._ahead:
            await self._settle()

    async def _hand_over(self) -> None:
        numbers, documents = self._numbers, self._documents
        self._numbers, self._documents, self._bytes = [], [], 0
        self._ahead.append((numbers, await self._intake.offer(documents)))
        self.lines += len(numbers)
        if len(self._ahead) > CHUNKS_AHEAD:
            await self._settle()

    async def _settle(self) -> None:
        """The oldest chunk's results; chunks settle in the order in which they came."""
        numbers, chunk = self._ahead.popleft()
        results = await chunk.settled()
        lines = b"".join(_line(number, result) for number, result in zip(numbers, results, strict=True))
        with _spooling():
            self._spool.write(lines)


def _parsed(line: LineOrTooLong, most: int) -> Any | Problem:
    if line is None:
        return TooLarge(f"The line is longer than {most:,} bytes, the most that one complaint may be.")
    try:
        return strict_json.parse(line)
    except NotJson as refused:
        return refused.with_traceback(None)


def _line(number: int, result: Result) -> bytes:
    if isinstance(result, Problem):
        document = {"line": number, "status": result.status, "problem": result.document()}
        return answers.dumps(document) + b"\n"
    return b'{"line":%d,"status":%d,"case_id":"%s"}\n' % (number, result.status, result.ids[0].encode())


async def _send(call: Call, spool: IO[bytes]) -> web.StreamResponse:
    with _spooling():
        spool.seek(0)
        piece = spool.read(PIECE)
    response = answers.stream(answers.NDJSON, headers=common_headers(call))
    await response.prepare(call.request)
    with answers.cut_where_it_fails(call.request):
        while piece:
            await response.write(piece)
            piece = spool.read(PIECE)
        await response.write_eof()
    return response
