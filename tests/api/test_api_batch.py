"""Bulk NDJSON: a line of answer for each, bad lines among good ones, constant memory."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from hub.errors import Unavailable
from tests.api.checking import Reply
from tests.api.conftest import Caller, House, complaint

NDJSON = {"Content-Type": "application/x-ndjson"}
MIB = 1024 * 1024


async def send(app: Caller, *lines: Any) -> Reply:
    body = b"\n".join(line if isinstance(line, bytes) else orjson.dumps(line) for line in lines)
    return await app.send("POST", "/v1/complaints/batch", data=body, headers=NDJSON)


async def test_one_bad_line_harms_no_other(app: Caller) -> None:
    good, repeated = complaint(), complaint()
    reply = await send(
        app,
        good,
        b"{",
        b"",
        complaint(title=""),
        complaint("bbws"),
        repeated,
        repeated,
        repeated | {"title": "Lain"},
        b'{"title": 1, "title": 2}',
        b'{"long": "' + b"x" * MIB + b'"}',
        b"[" * 10_000,
        b"  ",
        complaint(),
    )
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/x-ndjson")
    found = [(line["line"], line["status"]) for line in reply.lines]
    assert found == [
        (1, 201), (2, 400), (4, 422), (5, 403), (6, 201), (7, 200), (8, 409), (9, 400), (10, 413), (11, 400),
        (13, 201),
    ]  # fmt: skip
    problems = {line["line"]: line["problem"] for line in reply.lines if "problem" in line}
    assert problems[4]["errors"][0]["pointer"] == "/title"
    assert problems[8]["case_id"] == reply.lines[4]["case_id"]
    case = (await app.get(f"/v1/cases/{reply.lines[0]['case_id']}")).json
    assert case["complaint"]["source"]["reference"] == good["source"]["reference"]


async def test_line_breaks_as_windows_writes_them_and_none_at_the_end(app: Caller) -> None:
    body = orjson.dumps(complaint()) + b"\r\n" + orjson.dumps(complaint())
    reply = await app.send("POST", "/v1/complaints/batch", data=body, headers=NDJSON)
    assert [line["status"] for line in reply.lines] == [201, 201]


async def test_an_empty_batch_and_a_wrong_media_type(app: Caller) -> None:
    assert (await send(app)).lines == []
    assert (await app.post("/v1/complaints/batch", b"{}")).status == 415
    headers = NDJSON | {"Content-Encoding": "gzip"}
    reply = await app.send("POST", "/v1/complaints/batch", data=b"x", headers=headers)
    assert reply.status == 415


async def test_a_large_batch_in_constant_memory(app: Caller) -> None:
    """20 MB of lines that are refused early, so that the hub's side is the stream and the spool; to explain
    what a complaint lacks takes most of the time, so every fifth line is one, which makes 5 MB of answers."""
    few = [orjson.dumps("x" * 2_000)] * 4 + [orjson.dumps({"title": "x" * 2_000})]
    hundred, lines = b"".join(line + b"\n" for line in few * 20), 10_000

    async def body() -> AsyncIterator[bytes]:
        for _ in range(lines // 100):
            yield hundred

    await send(app, complaint())
    gc.collect()
    tracemalloc.start()
    try:
        async with app.house.http.post(
            f"{app.house.url}/v1/complaints/batch",
            data=body(),
            headers=NDJSON | {"Authorization": f"Bearer {app.token}"},
        ) as response:
            seen = 0
            async for answered in response.content:
                seen += 1
                last = answered
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (seen, orjson.loads(last)["line"]) == (lines, lines)
    assert peak < 4 * MIB, f"{peak / MIB:.1f} MiB for a batch of 20"


async def test_a_full_queue_is_waited_for(house: House, app: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = house.server.hub.writer
    real, refusals = writer.submit, iter(range(3))

    def submit(requests: Any, *, bulk: bool = False) -> Any:
        if next(refusals, None) is not None:
            raise Unavailable("full", retry_after_s=1)
        return real(requests, bulk=bulk)

    monkeypatch.setattr(writer, "submit", submit)
    reply = await send(app, complaint(), complaint())
    assert [line["status"] for line in reply.lines] == [201, 201]


async def test_a_queue_that_stays_full_is_said_line_by_line(
    house: House, app: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(requests: Any, *, bulk: bool = False) -> Any:
        raise Unavailable("The hub has too much to do.", retry_after_s=1)

    async def no_time(seconds: float) -> None:
        clock[0] += seconds

    clock = [0.0]
    monkeypatch.setattr(house.server.hub.writer, "submit", submit)
    monkeypatch.setattr("hub.service.bulk.asyncio", _Asyncio(no_time))
    reply = await send(app, complaint(), b"{")
    assert [line["status"] for line in reply.lines] == [503, 400]
    assert clock[0] == pytest.approx(30.0, abs=1.0)


class _Asyncio:
    """asyncio with another sleep, for one module."""

    def __init__(self, sleep: Any) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


class FullFile(io.BytesIO):
    """A temporary file on a disk that is full from the second writing on."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self._left = writes

    def write(self, data: Any) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("writes", [0, 1])
async def test_answers_that_cannot_be_kept_are_a_503(
    app: Caller, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    body = b"\n".join(orjson.dumps(complaint()) for _ in range(70))
    headers = {"Content-Type": "application/x-ndjson"}
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.TemporaryFile", lambda: FullFile(writes))
        reply = await app.post("/v1/complaints/batch", body, headers=headers)
        assert reply.status == 503
    reply = await app.post("/v1/complaints/batch", body, headers=headers)
    assert [line["line"] for line in reply.lines] == list(range(1, 71))
    assert {line["status"] for line in reply.lines[:64]} == {200}
