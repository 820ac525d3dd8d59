"""What the demo's programs say of a hub that is away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deploy.demo.api import Away, Event, follow


class Hub:
    """Answers as it is told, then never again."""

    def __init__(self, addresses: int, *answers: bool) -> None:
        self.addresses, self._answers = addresses, list(answers)

    async def get(self, path: str, **_: int | str) -> dict[str, Any]:
        if not self._answers:
            raise asyncio.CancelledError
        if not self._answers.pop(0):
            raise Away(f"GET {path}")
        return {"items": []}


@pytest.mark.parametrize(
    ("addresses", "answers", "expected"),
    [
        (2, (True, False, True), []),
        (2, (False, False, False, True, False, True), ["away", "answers again"]),
        (1, (False, False, True, False), ["away", "answers again", "away"]),
    ],
)
def test_the_hub_is_away_when_no_address_answers_and_it_is_said_once(
    addresses: int, answers: tuple[bool, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_wait(_: float) -> None:
        return None

    monkeypatch.setattr("deploy.demo.api.asyncio.sleep", no_wait)
    said: list[str] = []

    async def handle(_: Event) -> None:
        return None

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(follow(Hub(addresses, *answers), 0, handle, lambda _: None, said.append))  # type: ignore[arg-type]
    assert [word in line for word, line in zip(expected, said, strict=True)] == [True] * len(expected)
