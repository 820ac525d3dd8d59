"""The composition root's part for what the hub looks for by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hub.app_core import limits_of
from hub.domain.plausible import InStep
from hub.domain.policies import Policy
from hub.ports.clock import rfc3339
from hub.service.readers import Readers
from hub.service.sweeps import (
    PASS_ON_EVERY_S,
    RETENTION_EVERY_S,
    ReadPage,
    Sweep,
    pages_of_deactivated,
    pages_of_retained,
    when_believed,
)
from hub.service.writer import Writer

if TYPE_CHECKING:
    from hub.app_core import Core


def sweeps(core: Core, readers: Readers, writer: Writer, in_step: InStep | None = None) -> list[Sweep]:
    """Whoever holds the clock's lease runs them. `in_step`: how long this process has seen the clocks agree;
    None: it has only just begun."""

    in_step = in_step or InStep()

    async def deactivated() -> ReadPage:
        core.registry.refresh()
        return pages_of_deactivated([each.id for each in core.registry.agencies.values() if not each.active])

    async def retained() -> ReadPage:
        rows = await writer.run(lambda: rows_in_force(core))  # the rulebook is the writer's
        now = core.clock.now()
        in_step.seen(now, core.clock.monotonic())
        present = rfc3339(now)
        read_page = pages_of_retained(rows, limits_of(core.settings), present)
        return when_believed(read_page, present, in_step.is_settled)

    return [
        Sweep("deactivated", deactivated, readers, writer, PASS_ON_EVERY_S),
        Sweep("retention", retained, readers, writer, RETENTION_EVERY_S),
    ]


def rows_in_force(core: Core) -> Sequence[Policy]:
    core.rulebook.refresh()
    return core.rulebook.rows
