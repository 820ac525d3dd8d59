"""A leased role's log says what failed: the asking for the lease, or the work under it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.errors import SimpulError, StoreUnavailable
from hub.service.leased import LeasedRole
from hub.service.writer import Writer
from hub.store.leases import LeaseTable
from tests.service.hubworld import HubWorld


class Away(LeaseTable):
    """While the database is away."""

    def acquire(self, name: str, holder: str, ttl_s: float) -> Any:
        raise StoreUnavailable("the database is away")


async def forever(seconds: float) -> None:
    await asyncio.Event().wait()


async def told(world: HubWorld, table: type[LeaseTable], error: Exception) -> set[str]:
    """What a role logs whose work ends with that error, until it rests."""

    async def work(claim: object) -> None:
        raise error

    writer = Writer(world.core.runner, lambda events: None)
    writer.start()
    role = LeasedRole("relay", "here", table(world.core.store), writer, world.clock, work, forever)
    with capture_logs() as lines:
        role.start()
        async with asyncio.timeout(5):
            while {line["event"] for line in lines} <= {"role_taken"}:
                await asyncio.sleep(0)
        await role.stop()
    await writer.stop()
    return {line["event"] for line in lines}


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        (Away, ValueError("never reached"), {"lease_not_asked"}),
        (LeaseTable, SimpulError("a topic is missing"), {"role_taken", "role_ended"}),
        (LeaseTable, ValueError("a defect"), {"role_taken", "role_crashed"}),
    ],
)
async def test_the_log_says_what_failed(
    world: HubWorld, table: type[LeaseTable], error: Exception, said: set[str]
) -> None:
    assert await told(world, table, error) == said
