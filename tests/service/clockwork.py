"""The clock role over a test's hub, and what it made of a case."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from hub.domain.events import Fact
from hub.service.batch import BatchRunner
from hub.service.clock_role import ClockRole
from hub.service.readers import Readers
from hub.service.requests import Request
from tests.service.hubworld import HubWorld


class Straight:
    """A writer without a thread: what is submitted is run at once, and nothing is put off."""

    def __init__(self, runner: BatchRunner) -> None:
        self.runner = runner
        self.sizes: list[int] = []

    def submit(self, requests: Sequence[Request], *, bulk: bool = False) -> asyncio.Future[list[Any]]:
        assert bulk, "who waits for an answer goes first"
        self.sizes.append(len(requests))
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        done.set_result(self.runner.run(requests)[0])
        return done


def role_of(world: HubWorld, readers: Readers, writer: Any = None) -> ClockRole:
    return ClockRole(readers, writer or Straight(world.core.runner), world.clock)


async def wake(world: HubWorld, writer: Any = None) -> int:
    """What a hub that has just been started does at once; how many cases it tried."""
    readers, tried = Readers(world.core.store, 1), 0
    role = role_of(world, readers, writer)
    try:
        while count := await role.once():
            tried += count
    finally:
        readers.close()
    return tried


def facts(world: HubWorld, case_id: str) -> list[Fact]:
    return [event.fact() for event in world.read(lambda session: session.stream(case_id, 0, 9999))]


def types(world: HubWorld, case_id: str, after: int = 0) -> list[str]:
    return [fact.type for fact in facts(world, case_id)[after:]]


def told(world: HubWorld, case_id: str) -> list[tuple[str, str, str]]:
    """(event, stage, due_at) of what the clock said of a case."""
    return [
        (fact.type, fact.data["deadline"]["stage"], fact.data["deadline"]["due_at"])
        for fact in facts(world, case_id)
        if fact.type.startswith("deadline.")
    ]
