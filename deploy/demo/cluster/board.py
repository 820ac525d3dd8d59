"""What is known of each process: pid, state, what it holds. Pure: no I/O and no clock here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

State = Literal["starting", "running", "degraded", "waiting", "down"]
"""`degraded`: goes on without a part it would like to have; `waiting`: lives, and cannot work now."""
FIRST_PAUSE_S, LONGEST_PAUSE_S, SHORT_LIFE_S = 1.0, 12.0, 15.0


@dataclass
class Row:
    """One process. `fell_s` is set from its end until it works again; `pause_s` is how long its next start
    waits: longer each time for one that never lives long."""

    name: str
    pid: int
    started_s: float
    state: State = "starting"
    holds: tuple[str, ...] = ()
    fell_s: float | None = None
    due_s: float | None = None
    pause_s: float = 0.0


@dataclass
class Board:
    """Rows in the order of the processes' start."""

    rows: dict[str, Row] = field(default_factory=dict)
    holders: dict[str, tuple[str, int]] = field(default_factory=dict)

    def started(self, name: str, pid: int, now_s: float) -> None:
        """For the first time, or again."""
        row = self.rows.setdefault(name, Row(name, pid, now_s))
        row.pid, row.started_s, row.state, row.due_s = pid, now_s, "starting", None

    def fell(self, name: str, how: str, now_s: float) -> str:
        """The sentence for an end that nobody asked for."""
        row = self.rows[name]
        lived_long = now_s - row.started_s >= SHORT_LIFE_S
        row.pause_s = FIRST_PAUSE_S if lived_long else min(LONGEST_PAUSE_S, row.pause_s * 2 or FIRST_PAUSE_S)
        row.state, row.holds, row.due_s = "down", (), now_s + row.pause_s
        row.fell_s = now_s if row.fell_s is None else row.fell_s
        return f"{name} (pid {row.pid}) {how}; it is started again in {row.pause_s:.0f} s"

    def due(self, now_s: float) -> list[str]:
        """Who is to be started again now."""
        return [row.name for row in self.rows.values() if row.due_s is not None and row.due_s <= now_s]

    def seen(self, name: str, pid: int, state: State, holds: Sequence[str], now_s: float) -> list[str]:
        """What a look at a living process found; a sentence for each thing that changed. A look at one that
        ended or was replaced meanwhile says nothing."""
        row = self.rows[name]
        if row.state == "down" or row.pid != pid:
            return []
        row.holds = tuple(holds)
        if not (row.state == "starting" and state == "waiting"):
            row.state = state
        said = []
        if row.state in ("running", "degraded") and row.fell_s is not None:
            said.append(f"{name} (pid {row.pid}) works again, {now_s - row.fell_s:.0f} s after its end")
            row.fell_s = None
        return said + [words for lease in holds if (words := self._taken(lease, row))]

    def _taken(self, lease: str, row: Row) -> str:
        """Leases that pass from one process to another; who is the first to hold one, the table shows."""
        before, self.holders[lease] = self.holders.get(lease), (row.name, row.pid)
        if before in (None, (row.name, row.pid)):
            return ""
        return f"the lease `{lease}` is held by {row.name} (pid {row.pid})"
