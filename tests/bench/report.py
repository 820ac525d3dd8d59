"""Figures for people: medians with their spread, and the ratios against the project's own bars."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.bench.growth import SMALL

Rounds = Sequence[dict[str, Any]]
MEMORY_BAR_MIB: Final = 200.0
START_BAR_S: Final = 3.0


@dataclass(frozen=True)
class Bar:
    """A ratio (or a figure) against its bar and its aim; `most`: smaller is better."""

    what: str
    value: float
    bar: float
    aim: float | None = None
    most: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool:
        return self.value <= self.bar if self.most else self.value >= self.bar

    def line(self) -> str:
        sign = "<=" if self.most else ">="
        aim = f", aim {self.aim:g}{self.unit}" if self.aim is not None else ""
        off = abs(self.value / self.bar - 1)
        verdict = f"met by {off:.0%}" if self.met else f"MISSED by {off:.0%}"
        measured = f"{self.value:>8.2f}{self.unit:<4}"
        return f"  {self.what:<46}{measured} bar {sign} {self.bar:g}{self.unit}{aim}: {verdict}"


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


def bars(results: dict[str, Any]) -> list[Bar]:
    """Every bar of this run; one whose contender was not there is left out."""
    found: list[Bar] = []
    for part, build in _PARTS.items():
        if part in results:
            found += build(results[part])
    return found


def _intake(found: Mapping[str, Rounds]) -> list[Bar]:
    rate = {name: median(rounds, "rate") for name, rounds in found.items()}
    made = [Bar("intake: hub / empty handler", rate["hub"] / rate["empty handler"], 0.30, 0.42)]
    if "outbox" in found:
        made.append(Bar("intake: hub / outbox", rate["hub"] / rate["outbox"], 1.4, 2.0))
    return made


def _bulk(found: Mapping[str, Rounds]) -> list[Bar]:
    ratio = median(found["hub"], "rate") / median(found["raw insert"], "rate")
    return [Bar("bulk: hub / raw batched insert", ratio, 0.4, 0.6)]


def _latency(found: Mapping[str, Rounds]) -> list[Bar]:
    if "outbox" not in found:
        return []
    return [
        Bar(
            f"accepted to webhook at 500/s, {name}: hub / outbox",
            median(found["hub"], f"{name}_ms") / median(found["outbox"], f"{name}_ms"),
            2.0,
            1.2,
            most=True,
        )
        for name in ("p50", "p99")
    ]


def _growth(found: dict[str, Any]) -> list[Bar]:
    small, large = f"{SMALL:,}", f"{found['cases']:,}"
    made = []
    for operation, costs in found["costs"].items():
        for label, key in (("processor time", "cpu_us"), ("median time", "p50_ms")):
            ratio = median(costs[large], key) / median(costs[small], key)
            made.append(Bar(f"growth to {large}, {operation}, {label}", ratio, 1.3, 1.1, most=True))
    memory = found["memory"]
    what = f"resident after {memory['first_batch_lines']:,} complaints"
    made.append(Bar(what, memory["after_first_batch_mib"], MEMORY_BAR_MIB, most=True, unit=" MiB"))
    starts = statistics.median(found["start_s"])
    made.append(Bar(f"start with {large} cases", starts, START_BAR_S, most=True, unit=" s"))
    return made


_PARTS: Final[dict[str, Callable[[Any], list[Bar]]]] = {
    "intake": _intake,
    "bulk": _bulk,
    "latency": _latency,
    "growth": _growth,
}


def headroom(found: Mapping[str, Rounds]) -> str:
    """Whether the load generator had time to spare."""
    top = max(float(seen["driver_cpu_share"]) for rounds in found.values() for seen in rounds)
    ceiling = max((median(rounds, "rate") for rounds in found.values()), default=0.0)
    verdict = "" if top < 0.9 else ": IT WAS THE LIMIT"
    return (
        f"  load generator: at most {top:.0%} of a processor, it drove {ceiling:,.0f}/s at the most{verdict}"
    )
