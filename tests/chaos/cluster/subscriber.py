"""A webhook's endpoint that can be told to hang, to fail or to be slow, to all agencies or to one of them.

python -m tests.chaos.cluster.subscriber PORT FILE: FILE.mode holds ok, hang, fail or slow, and the agency if
it is for one alone; FILE gets a line for each call that was answered 200 (or will be), as in
`tests/chaos/receiver.py`, and FILE.late one with the agency, when it came and how long after the event."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.chaos.receiver import OK, Receiving, line_of, serve

FAILURE: Final = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
SLOW_S: Final = 1.0
_TIME: Final = re.compile(rb'"time": ?"([^"]*)"')


class Moody(Receiving):
    def _answer(self, answer: bytes) -> None:
        """An empty one never comes; one that begins with a line feed comes late."""
        if answer.startswith(b"\n"):
            asyncio.get_running_loop().call_later(SLOW_S, super()._answer, answer[1:])
        elif answer:
            super()._answer(answer)


def mode_file(received: Path) -> Path:
    return received.with_suffix(".mode")


def late_file(received: Path) -> Path:
    return received.with_suffix(".late")


def tell(received: Path, mode: str, agency: str = "") -> None:
    aside = received.with_suffix(".aside")
    aside.write_text(f"{mode} {agency}")
    aside.rename(mode_file(received))


def latencies_s(received: Path, agency: str, since: float, until: float) -> Iterator[float]:
    """From the event's time to its arrival, of what came to this agency between two wall-clock times."""
    for line in late_file(received).read_text().splitlines():
        who, at, late = line.split(" ")
        if who == agency and since <= float(at) < until:
            yield float(late)


def main() -> None:
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    with path.open("a", buffering=1) as lines, late_file(path).open("a", buffering=1) as late:

        def note(head: bytes, body: bytes) -> bytes:
            line = line_of(head, body)
            agency = line.split(" ", 1)[0].removeprefix("/")
            mode, _, only = mode_file(path).read_text().partition(" ")
            if only not in ("", agency):
                mode = "ok"
            if mode == "hang":
                return b""
            if mode == "fail":
                return FAILURE
            lines.write(line + "\n")
            if found := _TIME.search(body):
                now = time.time()
                then = datetime.fromisoformat(found[1].decode()).timestamp()
                late.write(f"{agency} {now:.3f} {now - then:.4f}\n")
            return b"\n" + OK if mode == "slow" else OK

        asyncio.run(serve(port, note, Moody))


if __name__ == "__main__":
    main()
