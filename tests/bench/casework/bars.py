"""What the parts about coordination and deadlines show, and their bars."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from tests.bench.casework.coordination import STEPS
from tests.bench.casework.rooms import room_bars
from tests.bench.figures import CONSTANT_BAR, POSTGRES, Bar, median, table
from tests.bench.growth import SMALL

Found = dict[str, Any]
MEASURES: Final = {"processor time": "cpu_us", "wall": "wall_us"}
TICK_BAR_MS: Final = 50.0


def show_coordination(found: Found, where: str) -> None:
    columns = {"cpu_us": "processor us a request", "wall_us": "wall us a request", "p50_ms": "answer p50 ms"}
    for manner, rounds in found.items():
        by_step = {step: [seen[step] for seen in rounds] for step in ("intake", *STEPS)}
        table(f"Coordination{where}, three legs, {manner}", by_step, columns)
        shares = ", ".join(
            f"{step} {median(by_step[step], 'cpu_us') / median(by_step['intake'], 'cpu_us'):.2f}"
            for step in STEPS
        )
        print(f"  of one intake's processor time: {shares}")


def _coordination(found: Found, where: str) -> list[Bar]:
    """The median of the rounds' own ratios: each round has an intake beside its steps."""
    made = []
    for manner, rounds in found.items():
        for label, key in MEASURES.items():
            ratios = [sum(seen[step][key] for step in STEPS) / (3 * seen["intake"][key]) for seen in rounds]
            what = f"coordination{where}, {manner}, {label}: 3 / 3 intakes"
            made.append(Bar(what, statistics.median(ratios), 1.0, most=True))
    return made


def show_clock(found: Found, where: str) -> None:
    columns = {"wall_ms": "wall ms", "cpu_ms": "hub's processor ms"}
    for kind, ticks in found["ticking"]["ticks"].items():
        table(f"The clock{where}: a tick, {kind}; open deadlines:", ticks, columns)
    for operation, seen in found["costs"].items():
        lists = {"cpu_us": "processor us a request", "p50_ms": "median ms"}
        table(f"Overdue cases{where}: {operation}, cases:", seen, lists)
    for name, rounds in found["ticking"]["memory"].items():
        held = {key: round(max(seen[key] for seen in rounds), 1) for key in rounds[0]}
        print(
            f"  most memory of the clock alone, {name}: {held}; served: {found['served_mib'][name]:.0f} MiB"
        )


def _clock(found: Found, where: str) -> list[Bar]:
    small, large = f"{SMALL:,}", f"{found['cases']:,}"
    made = []
    for kind, ticks in found["ticking"]["ticks"].items():
        bar = TICK_BAR_MS if kind == "nothing due" else None
        what = f"a tick{where} at {large} deadlines, {kind}"
        made.append(Bar(what, median(ticks[large], "wall_ms"), bar, most=True, unit=" ms"))
        if bar is None:
            ratio = median(ticks[large], "cpu_ms") / median(ticks[small], "cpu_ms")
            made.append(Bar(f"{what}, processor time / {small}", ratio, None))
    rounds_of = found["ticking"]["memory"].items()
    most = {name: max(seen["peak_mib"] for seen in rounds) for name, rounds in rounds_of}
    for what, held in (("the clock alone", most), ("the hub", found["served_mib"])):
        ratio = held[large] / held[small]
        made.append(Bar(f"memory{where} of {what}, {large} / {small}", ratio, CONSTANT_BAR, most=True))
    for operation, costs in found["costs"].items():
        for label, key in (("processor time", "cpu_us"), ("median time", "p50_ms")):
            ratio = median(costs[large], key) / median(costs[small], key)
            made.append(Bar(f"{operation}{where}, {large}, {label}", ratio, 1.3, 1.1, most=True))
    return made


CASEWORK_BARS: Final[dict[str, Callable[[Any], list[Bar]]]] = {
    "coordination": partial(_coordination, where=""),
    "rooms": partial(room_bars, where=""),
    "clock": partial(_clock, where=""),
    "pg-coordination": partial(_coordination, where=POSTGRES),
    "pg-rooms": partial(room_bars, where=POSTGRES),
    "pg-clock": partial(_clock, where=POSTGRES),
}
