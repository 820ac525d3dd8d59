"""The hub's clock role alone over a hub's database, its clock set forward from deadline to deadline. Job on
standard input: `settings` (environment of the hub, which does not run), `idle` (ticks with nothing due),
`until` (RFC 3339: what is due from then on is let be); result: milliseconds of each tick, and memory."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from hub.app_core import Core, open_core
from hub.domain.timekeeping import next_wake_of
from hub.domain.working_time import instant
from hub.ports.store import ReadSession
from hub.service.clock_role import ClockRole
from hub.service.readers import Readers
from hub.service.writer import BULK_CHUNK, Writer
from hub.settings import load
from tests.bench import machine


class SetClock:
    """Stands at `moment`."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return time.monotonic()


async def ticks(core: Core, clock: SetClock, job: dict[str, Any]) -> dict[str, Any]:
    readers, writer = Readers(core.store), Writer(core.runner, lambda committed: None)
    role, found = ClockRole(readers, writer, clock), defaultdict(list)
    memory = {"before_mib": machine.resident_mib(os.getpid())}
    core.store.start_checkpoints()
    writer.start()
    try:
        for number in range(job["idle"] + 1):
            tried, seen = await tick(role)
            if tried:
                raise RuntimeError(f"{tried} cases were due already")
            if number:  # the first one opens the connection
                found["nothing due"].append(seen)
        memory["idle_mib"] = machine.resident_mib(os.getpid())
        while wake := await readers.run(first_wake):
            if wake >= job["until"]:
                break
            clock.moment = instant(wake) + timedelta(seconds=1)
            await until_nothing_is_due(role, found)
        memory["after_mib"] = machine.resident_mib(os.getpid())
    finally:
        await writer.stop()
        await readers.stop()
    return {"ticks": found, "memory": memory | {"peak_mib": machine.peak_resident_mib(os.getpid())}}


def first_wake(session: ReadSession) -> str | None:
    """The earliest moment at which any case's clock has something to say."""
    cases = [session.case(name) for name in session.to_wake("9999", 1)]
    return next((next_wake_of(case.state) for case in cases if case), None)


async def until_nothing_is_due(role: ClockRole, found: dict[str, list[dict[str, float]]]) -> None:
    while True:
        tried, seen = await tick(role)
        if not tried:
            return
        if tried == BULK_CHUNK:  # a last, smaller one is no measure
            found[f"{BULK_CHUNK} due"].append(seen)


async def tick(role: ClockRole) -> tuple[int, dict[str, float]]:
    cpu_s, began = time.process_time(), time.perf_counter()
    tried = await role.once()
    return tried, {
        "wall_ms": (time.perf_counter() - began) * 1e3,
        "cpu_ms": (time.process_time() - cpu_s) * 1e3,
    }


def main() -> None:
    job, clock = orjson.loads(sys.stdin.buffer.read()), SetClock()
    with open_core(load(None, job["settings"]), clock) as core:
        found = asyncio.run(ticks(core, clock, job))
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main()
