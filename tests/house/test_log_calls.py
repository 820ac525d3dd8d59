"""A log call names its event by its first argument alone: `event=` beside it is a TypeError when reached."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "connectors", "auth", "schemas")
LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "msg", "log"}


def naming_event_twice(source: str) -> Iterator[int]:
    """The lines of log calls with a keyword `event`, which is the name of structlog's first parameter."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and any(keyword.arg == "event" for keyword in node.keywords)
        ):
            yield node.lineno


def test_no_log_call_passes_a_keyword_event() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for line in naming_event_twice(path.read_text("utf-8"))
    ]
    assert found == []


def test_the_look_itself_sees_one() -> None:
    assert list(naming_event_twice('log.info("a", event_id=1)\nlog.error("b", event=1)\n')) == [2]
