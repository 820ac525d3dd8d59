"""One line of the hub's answer to a batch of complaints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class BatchLine:
    """The hub's answer to one line of a batch; `line` counts from 1."""

    line: int
    status: int
    case_id: str
    problem: dict[str, Any]


def batch_line(raw: bytes) -> BatchLine | None:
    """A complete line, or None for one that a broken connection cut."""
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(line, dict) or not isinstance(line.get("line"), int):
        return None
    problem = line.get("problem")
    return BatchLine(
        line["line"],
        int(line.get("status", 0)),
        str(line.get("case_id") or ""),
        problem if isinstance(problem, dict) else {},
    )
