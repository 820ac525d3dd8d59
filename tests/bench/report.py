"""The ratios against the project's own bars, part by part."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from tests.bench.casework.bars import CASEWORK_BARS
from tests.bench.cluster.bars import CLUSTER_BARS
from tests.bench.figures import CONSTANT_BAR, POSTGRES, Bar, median
from tests.bench.growth import SHORT_BATCH, SMALL
from tests.bench.live.streaming import streaming_bars

Rounds = Sequence[dict[str, Any]]
Bars = tuple[float | None, float | None]
"""(bar, aim)"""
MEMORY_BAR_MIB: Final = 200.0
START_BAR_S: Final = 3.0


def bars(results: dict[str, Any]) -> list[Bar]:
    """Every bar of this run; one whose contender was not there is left out."""
    found: list[Bar] = []
    for part, build in _PARTS.items():
        if part in results:
            found += build(results[part])
    return found


def _intake(found: Mapping[str, Rounds], where: str, empty: Bars, outbox: Bars) -> list[Bar]:
    rate = {name: median(rounds, "rate") for name, rounds in found.items()}
    made = [Bar(f"intake{where}: hub / empty handler", rate["hub"] / rate["empty handler"], *empty)]
    if "outbox" in found:
        made.append(Bar(f"intake{where}: hub / outbox", rate["hub"] / rate["outbox"], *outbox))
    return made


def _bulk(found: Mapping[str, Rounds], where: str) -> list[Bar]:
    """Beside each raw way."""
    rate = median(found["hub"], "rate")
    return [
        Bar(f"bulk{where}: hub / {name}", rate / median(rounds, "rate"), 0.4, 0.6)
        for name, rounds in found.items()
        if name != "hub"
    ]


def _latency(found: Mapping[str, Rounds], where: str) -> list[Bar]:
    if "outbox" not in found:
        return []
    return [
        Bar(
            f"accepted to webhook at 500/s{where}, {name}: hub / outbox",
            median(found["hub"], f"{name}_ms") / median(found["outbox"], f"{name}_ms"),
            2.0,
            1.2,
            most=True,
        )
        for name in ("p50", "p99")
    ]


def _growth(found: dict[str, Any], where: str) -> list[Bar]:
    small, large = f"{SMALL:,}", f"{found['cases']:,}"
    made = []
    for operation, costs in found["costs"].items():
        for label, key in (("processor time", "cpu_us"), ("median time", "p50_ms")):
            ratio = median(costs[large], key) / median(costs[small], key)
            what = f"growth{where} to {large}, {operation}, {label}"
            made.append(Bar(what, ratio, 1.3, 1.1, most=True))
    memory = found["memory"]
    what = f"resident{where} after {memory['first_complaints']:,} complaints"
    made.append(Bar(what, memory["after_first_batch_mib"], MEMORY_BAR_MIB, most=True, unit=" MiB"))
    longer = memory["long_batch_peak_mib"] / memory["short_batch_peak_mib"]
    what = f"peak{where}, batch of {memory['long_batch_lines']:,} / of {memory['short_batch_lines']:,}"
    whole = memory["short_batch_lines"] >= SHORT_BATCH  # a shorter one does not even fill the queues
    made.append(Bar(what, longer, CONSTANT_BAR if whole else None, most=True))
    starts = statistics.median(found["start_s"])
    made.append(Bar(f"start{where} with {large} cases", starts, START_BAR_S, most=True, unit=" s"))
    return made


_PARTS: Final[dict[str, Callable[[Any], list[Bar]]]] = {
    "intake": partial(_intake, where="", empty=(0.30, 0.42), outbox=(1.4, 2.0)),
    "bulk": partial(_bulk, where=""),
    "latency": partial(_latency, where=""),
    "growth": partial(_growth, where=""),
    "pg-intake": partial(_intake, where=POSTGRES, empty=(None, None), outbox=(0.9, 1.1)),
    "pg-latency": partial(_latency, where=POSTGRES),
    "pg-bulk": partial(_bulk, where=POSTGRES),
    "pg-growth": partial(_growth, where=POSTGRES),
    "stream": streaming_bars,
    **CASEWORK_BARS,
    **CLUSTER_BARS,
}
