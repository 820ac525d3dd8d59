"""What a client knew, written before it went on: the truth that the hub is held to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


class Journal:
    """Appends one JSON line an entry, unbuffered: what was noted is in the file even if we end."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def note(self, kind: str, **members: Any) -> None:
        os.write(self._handle, orjson.dumps({"kind": kind} | members) + b"\n")

    def close(self) -> None:
        os.close(self._handle)


def entries(folder: Path, pattern: str = "*.journal") -> Iterator[dict[str, Any]]:
    """Every entry of every client's journal."""
    for path in sorted(folder.glob(pattern)):
        with path.open("rb") as lines:
            for line in lines:
                yield orjson.loads(line)
