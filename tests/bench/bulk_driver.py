"""Sends one NDJSON batch of `count` lines over a plain socket and reads the answer. Job and result as JSON on
standard input and output; the time runs from the first byte sent to the last one received."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections import Counter
from typing import Any, Final

import orjson

from tests.bench.bodies import REFERENCE_LENGTH, halves, reference

LINES: Final = 256
PATIENCE_S: Final = 900.0


def send(job: dict[str, Any]) -> dict[str, Any]:
    before, after = halves()
    after += b"\n"
    count, prefix = job["count"], job["prefix"]
    size = count * (len(before) + REFERENCE_LENGTH + len(after))
    headers = "".join(f"{name}: {value}\r\n" for name, value in job["headers"].items())
    head = (
        "POST /v1/complaints/batch HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-ndjson\r\n"
        f"Connection: close\r\nContent-Length: {size}\r\n{headers}\r\n"
    ).encode()
    cpu_s, began = time.process_time(), time.monotonic()
    with socket.create_connection(("127.0.0.1", job["port"]), timeout=PATIENCE_S) as connection:
        connection.sendall(head)
        for first in range(0, count, LINES):
            numbers = range(first, min(first + LINES, count))
            connection.sendall(b"".join(before + reference(prefix, number, 0) + after for number in numbers))
        response = http.client.HTTPResponse(connection)
        response.begin()
        answer = response.read()
    seconds = time.monotonic() - began
    statuses = Counter(part[:3].decode() for part in answer.split(b'"status":')[1:])
    if statuses.total() != count:
        raise SystemExit(f"{statuses.total()} lines answered of {count}: {answer[:500]!r}")
    return {
        "good": statuses["201"],
        "statuses": dict(statuses),
        "seconds": seconds,
        "rate": statuses["201"] / seconds,
        "driver_cpu_share": (time.process_time() - cpu_s) / seconds,
    }


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(send(orjson.loads(sys.stdin.buffer.read()))))
