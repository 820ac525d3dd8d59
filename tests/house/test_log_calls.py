"""A log call names its event by its first argument alone: `event=` beside it is a TypeError when reached."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("hub", "connectors", "auth", "schemas")
LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "msg", "log"}


def calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            yield node


def naming_event_twice(found: Iterable[ast.Call]) -> list[int]:
    """The lines of log calls with a keyword `event`, which is the name of structlog's first parameter."""
    return [call.lineno for call in found if any(keyword.arg == "event" for keyword in call.keywords)]


def test_no_log_call_passes_a_keyword_event() -> None:
    found = {
        path.relative_to(ROOT): list(calls(path.read_text("utf-8")))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
    }
    assert {path.parts[0] for path, of_file in found.items() if of_file} >= {"hub", "connectors"}
    assert [f"{path}:{line}" for path, of_file in found.items() for line in naming_event_twice(of_file)] == []


def test_the_look_itself_sees_one() -> None:
    assert naming_event_twice(calls('log.info("a", event_id=1)\nlog.error("b", event=1)\n')) == [2]
