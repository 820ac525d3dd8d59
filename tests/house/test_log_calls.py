"""A log call names its event by its first argument alone: `event=` beside it is a TypeError when reached."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "connectors", "auth", "schemas")
LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "msg", "log"}


def calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            yield node


def naming_event_twice(source: str) -> list[int]:
    """The lines of log calls with a keyword `event`, which is the name of structlog's first parameter."""
    return [call.lineno for call in calls(source) if any(keyword.arg == "event" for keyword in call.keywords)]


def test_no_log_call_passes_a_keyword_event() -> None:
    sources = {
        path.relative_to(ROOT): path.read_text("utf-8")
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }
    assert {path.parts[0] for path, source in sources.items() if any(calls(source))} >= {"hub", "connectors"}
    assert [f"{path}:{line}" for path, source in sources.items() for line in naming_event_twice(source)] == []


def test_the_look_itself_sees_one() -> None:
    assert naming_event_twice('log.info("a", event_id=1)\nlog.error("b", event=1)\n') == [2]
