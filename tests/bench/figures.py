"""Figures for people: medians with their spread, a ratio against its bar."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Rounds = Sequence[dict[str, Any]]
POSTGRES: Final = " on PostgreSQL"
CONSTANT_BAR: Final = 1.2
"""The most memory of what is ten times as much or more, beside the small one's: what "constant" may vary."""


@dataclass(frozen=True)
class Bar:
    """A ratio (or a figure) against its bar and its aim, None where none was set; `most`: smaller is
    better."""

    what: str
    value: float
    bar: float | None
    aim: float | None = None
    most: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        if self.bar is None:
            return None
        return self.value <= self.bar if self.most else self.value >= self.bar

    def line(self) -> str:
        measured = f"  {self.what:<58}{self.value:>10,.2f}{self.unit:<4}"
        if self.bar is None:
            return f"{measured} no bar"
        sign = "<=" if self.most else ">="
        aim = f", aim {self.aim:g}{self.unit}" if self.aim is not None else ""
        off = abs(self.value / self.bar - 1)
        verdict = f"met by {off:.0%}" if self.met else f"MISSED by {off:.0%}"
        return f"{measured} bar {sign} {self.bar:g}{self.unit}{aim}: {verdict}"


def median(rounds: Rounds, name: str) -> float:
    return statistics.median(float(seen[name]) for seen in rounds)


def spread(rounds: Rounds, name: str) -> str:
    values = [float(seen[name]) for seen in rounds]
    return f"{statistics.median(values):>9,.1f} ({min(values):,.1f}-{max(values):,.1f})"


def table(title: str, found: Mapping[str, Rounds], columns: dict[str, str]) -> None:
    """A row a contender: median (smallest-largest) of each column that it has."""
    print(f"\n{title}")
    print("  " + " " * 16 + "".join(f"{label:>28}" for label in columns.values()))
    for name, rounds in found.items():
        cells = [f"{spread(rounds, key):>28}" if key in rounds[0] else " " * 28 for key in columns]
        print(f"  {name:<16}" + "".join(cells))


def headroom(found: Mapping[str, Rounds]) -> str:
    """Whether the load generator had time to spare."""
    top = max(float(seen["driver_cpu_share"]) for rounds in found.values() for seen in rounds)
    ceiling = max((median(rounds, "rate") for rounds in found.values()), default=0.0)
    verdict = "" if top < 0.9 else ": IT WAS THE LIMIT"
    return (
        f"  load generator: at most {top:.0%} of a processor, it drove {ceiling:,.0f}/s at the most{verdict}"
    )
