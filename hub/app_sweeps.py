"""The composition root's part for what the hub looks for by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.app_core import limits_of
from hub.app_erasures import remove_leftovers
from hub.domain.policies import Policy
from hub.ports.clock import rfc3339
from hub.service.readers import Readers
from hub.service.sweeps import (
    PASS_ON_EVERY_S,
    RETENTION_EVERY_S,
    Page,
    Sweep,
    pages_of_deactivated,
    pages_of_retained,
)
from hub.service.writer import Writer

if TYPE_CHECKING:
    from hub.app_core import Core


def sweeps(core: Core, readers: Readers, writer: Writer) -> list[Sweep]:
    """Whoever holds the clock's lease runs them."""

    async def deactivated() -> Page:
        core.registry.refresh()
        return pages_of_deactivated([each.id for each in core.registry.agencies.values() if not each.active])

    async def retained() -> Page:
        await asyncio.to_thread(remove_leftovers, core)  # a command at work kept its own from the last purge
        rows = await writer.run(lambda: rows_in_force(core))  # the rulebook is the writer's
        return pages_of_retained(rows, limits_of(core.settings), rfc3339(core.clock.now()))

    return [
        Sweep("deactivated", deactivated, readers, writer, PASS_ON_EVERY_S),
        Sweep("retention", retained, readers, writer, RETENTION_EVERY_S),
    ]


def rows_in_force(core: Core) -> Sequence[Policy]:
    core.rulebook.refresh()
    return core.rulebook.rows
