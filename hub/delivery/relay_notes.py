"""What the relay has published and the database is still to be told: written beside the next publishing, so
that no record waits for it. Should the process end before, it is published again under the same marks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from hub.ports.relaying import Relayed

END_WITHIN_S: Final = 2.0


class Notes:
    """One write at a time; what comes meanwhile goes with the next. Lives on the event loop."""

    def __init__(self, write: Callable[[Relayed], Awaitable[None]], told: Callable[[], None]) -> None:
        """`told` is called after every write, whether it succeeded or not."""
        self._write, self._told = write, told
        self._waiting: list[tuple[Relayed, Callable[[], None]]] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, relayed: Relayed, then: Callable[[], None]) -> None:
        """To be written; `then` is called when it is."""
        self._waiting.append((relayed, then))
        if self._task is None:
            self._task = asyncio.create_task(self._go_on(), name="relay notes")

    def check(self) -> None:
        """Raises what the last write failed with. It is tried again at the next call."""
        if self._task is not None and self._task.done():
            ended, self._task = self._task, None
            ended.result()
        if self._task is None and self._waiting:
            self._task = asyncio.create_task(self._go_on(), name="relay notes")

    async def end(self) -> None:
        """Waits a moment for what is being written."""
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=END_WITHIN_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _go_on(self) -> None:
        try:
            while taken := list(self._waiting):
                await self._write(_together([relayed for relayed, _ in taken]))
                del self._waiting[: len(taken)]
                for _, then in taken:
                    then()
                self._told()
        finally:
            self._told()


def _together(parts: Sequence[Relayed]) -> Relayed:
    """A lane's later place stands for its earlier ones."""
    return Relayed(
        {name: position for part in parts for name, position in part.cursors.items()},
        [answer for part in parts for answer in part.record_answers],
        [letter for part in parts for letter in part.dead_letters],
    )
