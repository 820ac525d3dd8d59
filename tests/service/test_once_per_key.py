"""Writes that are no commands: once per key, also for requests that come at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from hub.errors import Invalid, StateConflict
from hub.service.once import Once
from hub.service.requests import Idempotency
from tests.service.hubworld import HubWorld


class Effects:
    """`act` yields to the others before it takes effect."""

    def __init__(self) -> None:
        self.made: list[str] = []

    async def act(self) -> str:
        await asyncio.sleep(0)
        self.made.append(f"rahasia-{len(self.made) + 1}")
        return self.made[-1]

    async def again(self, kept: tuple[str, ...]) -> str:
        return f"again {kept}"


async def test_the_second_waits_for_the_first(world: HubWorld) -> None:
    effects = Effects()
    async with world.serving() as hub:
        once = Once(world.core.store, hub.readers, hub.writer, world.clock)
        same, other = Idempotency(b"k" * 32, b"b"), Idempotency(b"o" * 32, b"b")
        runs = [
            once.run(key, effects.act, effects.again, lambda made: (made[:7],))
            for key in (same, same, other, same)
        ]
        answers = await asyncio.gather(*runs)
        assert len(effects.made) == 2
        assert sorted(answers)[:2] == ["again ('rahasia',)"] * 2
        with pytest.raises(Invalid):
            await once.run(Idempotency(b"k" * 32, b"c"), effects.act, effects.again)
        assert once._turns == {}  # nothing is kept for keys that nobody waits for


async def test_after_a_refusal_the_next_takes_effect(world: HubWorld) -> None:
    effects = Effects()

    async def refused() -> str:
        raise StateConflict("Belum bisa.")

    async with world.serving() as hub:
        once = Once(world.core.store, hub.readers, hub.writer, world.clock)
        key = Idempotency(b"k" * 32, b"b")
        first, second = await asyncio.gather(
            once.run(key, refused, effects.again),
            once.run(key, effects.act, effects.again),
            return_exceptions=True,
        )
        assert isinstance(first, StateConflict)
        assert second == "rahasia-1"
        assert once._turns == {}
