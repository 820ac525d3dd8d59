"""A webhook's endpoint that can be told to hang, to fail or to be slow.

python -m tests.chaos.cluster.subscriber PORT FILE: FILE.mode holds ok, hang, fail or slow; FILE gets a line
for each call that was answered 200 (or will be), as in `tests/chaos/receiver.py`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from tests.chaos.receiver import OK, Receiving, line_of, serve

FAILURE: Final = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
SLOW_S: Final = 1.0


class Moody(Receiving):
    def _answer(self, answer: bytes) -> None:
        """An empty one never comes; one that begins with a line feed comes late."""
        if answer.startswith(b"\n"):
            asyncio.get_running_loop().call_later(SLOW_S, super()._answer, answer[1:])
        elif answer:
            super()._answer(answer)


def mode_file(received: Path) -> Path:
    return received.with_suffix(".mode")


def tell(received: Path, mode: str) -> None:
    aside = received.with_suffix(".aside")
    aside.write_text(mode)
    aside.rename(mode_file(received))


def main() -> None:
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    with path.open("a", buffering=1) as lines:

        def note(head: bytes, body: bytes) -> bytes:
            mode = mode_file(path).read_text()
            if mode == "hang":
                return b""
            if mode == "fail":
                return FAILURE
            lines.write(line_of(head, body) + "\n")
            return b"\n" + OK if mode == "slow" else OK

        asyncio.run(serve(port, note, Moody))


if __name__ == "__main__":
    main()
