"""A line a while, with how often it happened, however many requests meet an outage."""

from __future__ import annotations

from hub.api.seldom import EVERY_S, Seldom


def test_the_first_is_told_at_once_and_the_rest_is_counted() -> None:
    line = Seldom()
    assert [line.due(100.0 + n / 1000) for n in range(500)] == [1, *[None] * 499]
    assert line.due(100.0 + EVERY_S) == 500
    assert line.due(100.1 + EVERY_S) is None
    assert line.due(200.0) == 2
