"""A hub's delivery as a process of its own, to be killed: `python delivering_process.py FOLDER URL COUNT`.

Makes the webhook if there is none, submits COUNT complaints with a second event each, and delivers until it
is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hub.errors import NotFound
from hub.ports.clock import SystemClock
from tests.delivery.delivery_world import AGENCIES, delivery_world


async def main(folder: Path, url: str, count: int) -> None:
    async with delivery_world(folder, clock=SystemClock()) as world:
        try:
            await world.desk.get(AGENCIES[0])
        except NotFound:
            await world.desk.put(AGENCIES[0], url, ["*"], None)
        world.draw = 0.01
        await world.start()
        world.count = int.from_bytes(world.ids.new().encode()[-4:], "big")
        for _ in range(count):
            case_id = await world.submit()
            await world.more_about(case_id)
        await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
