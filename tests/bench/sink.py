"""The webhook receiver of the benchmark: answers 200, counts, and knows from the complaint's reference how
long ago it was sent. `GET /control` tells what came, `GET /control/forget` begins anew.

python -m tests.bench.sink PORT"""

from __future__ import annotations

import re
import sys
import time
from typing import Final

import orjson
import uvloop

from tests.chaos.receiver import OK, serve

_SENT: Final = re.compile(rb'"reference": ?"[^"]{15}-(\d{20})"')


class Sink:
    def __init__(self) -> None:
        self.count, self.last_ns = 0, 0
        self.latencies_ns: list[int] = []

    def note(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET"):
            if head.startswith(b"GET /control/forget"):
                self.count, self.latencies_ns = 0, []
            return self._tell()
        now = time.monotonic_ns()
        self.count += 1
        self.last_ns = now
        if (sent := _SENT.search(body)) is not None:
            self.latencies_ns.append(now - int(sent[1]))
        return OK

    def _tell(self) -> bytes:
        ordered = sorted(self.latencies_ns) or [0]
        document = orjson.dumps(
            {
                "count": self.count,
                "timed": len(self.latencies_ns),
                "last_ns": self.last_ns,
                "p50_ms": ordered[len(ordered) // 2] / 1e6,
                "p99_ms": ordered[int(len(ordered) * 0.99)] / 1e6,
            }
        )
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(document), document)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Sink().note))
