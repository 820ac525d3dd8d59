"""kill -9 in the middle of delivering: nothing is lost, and a subject's order holds."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from pathlib import Path

from hub.ports.clock import SystemClock
from tests.delivery.delivery_world import AGENCIES, delivery_world, until
from tests.delivery.receiver import Received, Receiver

SCRIPT = Path(__file__).with_name("delivering_process.py")


async def test_kills_lose_nothing(tmp_path: Path, ministry: Receiver) -> None:
    calls: dict[str, int] = defaultdict(int)

    async def moody(received: Received) -> int:
        await asyncio.sleep(0.002)
        event_id = received.event["id"]
        calls[event_id] += 1
        return 409 if calls[event_id] == 1 and int(event_id[-1], 16) < 3 else 204

    ministry.behave = moody
    for kill_after in (25, 50, 75):
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), str(tmp_path), ministry.url, "40"
        )
        enough = len(ministry.received) + kill_after
        await until(lambda: len(ministry.received) >= enough or process.returncode is not None, 20)  # noqa: B023
        assert process.returncode is None, "the hub ended by itself"
        process.kill()
        await process.wait()
    async with delivery_world(tmp_path, clock=SystemClock()) as world:
        world.draw = 0.01
        await world.start()
        page = await world.hub.mailboxes.page(AGENCIES[0], 0, 1000)
        sent = {item["event"]["id"]: item["event"] for item in page["items"][1:]}
        assert len(sent) > 40
        await until(lambda: len({e["id"] for e in ministry.accepted()}) == len(sent), 20)
        await world.settle()
        assert {e["id"] for e in ministry.accepted()} == set(sent)
        webhook = world.table.webhook(AGENCIES[0])
        assert webhook is not None and webhook.cursor == page["next"]
        assert {row["state"] for row in await world.rows()} == {"done"}
    first_seen: dict[str, list[str]] = defaultdict(list)
    for event in {e["id"]: e for e in reversed(ministry.accepted())}.values():
        first_seen[event["subject"]].append(event["sequence"])
    assert all(seen == sorted(seen, reverse=True) for seen in first_seen.values())
