"""Log lines that cost nobody anything: a full disk or a closed pipe loses lines, never a request."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, Any

Sink = Callable[[bytes], int | None]
"""Takes bytes past every buffer; how many it took, as `RawIOBase.write` says it."""


class Lines:
    """The logger that structlog writes through, one for the process. A line that the stream refuses is
    dropped and counted; the first line that is taken again is preceded by one that says how many were lost.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._broken = False
        self.dropped = 0

    def msg(self, message: str) -> None:
        """Writes a line; never raises because of the stream."""
        line = message.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            if self.dropped and not self._wrote(self._notice()):
                self.dropped += 1
                return
            self.dropped = 0 if self._wrote(line) else 1

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg

    def _wrote(self, line: bytes) -> bool:
        """Whether the whole line was taken. What is left of one that was cut ends with the next."""
        rest = memoryview(b"\n" + line if self._broken else line)
        size = len(rest)
        try:
            while rest:
                taken = self._sink(rest.tobytes())
                if not taken:
                    break
                rest = rest[taken:]
        except (OSError, ValueError):  # full, a pipe without a reader, or closed: nobody is left to tell
            pass
        self._broken = self._broken if len(rest) == size else bool(rest)
        return not rest

    def _notice(self) -> bytes:
        notice = {
            "dropped": self.dropped,
            "event": "log_lines_dropped",
            "level": "warning",
            "timestamp": datetime.now(UTC).isoformat(),
        }
        return json.dumps(notice).encode() + b"\n"


class LinesHandler(logging.Handler):
    """The libraries' own log records, over the same lines."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.msg(self.format(record))
        except Exception:
            self.handleError(record)


def sink_of(stream: IO[str] | None) -> Sink:
    """Past the stream's buffers, which would keep what was refused and fail again at the process's end.
    A process that was started without standard error logs nowhere."""
    if stream is None:
        return len
    buffer: Any = getattr(stream, "buffer", None)
    if buffer is None:
        return lambda line: len(line) if stream.write(line.decode()) else 0
    return _flushing(getattr(buffer, "raw", buffer))


def _flushing(raw: Any) -> Sink:
    def write(line: bytes) -> int | None:
        taken: int | None = raw.write(line)
        raw.flush()
        return taken

    return write


def standard_error() -> Lines:
    return Lines(sink_of(sys.stderr))
