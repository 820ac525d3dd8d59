"""What is measured, contender by contender, round by round, in alternating order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from tests.bench import machine
from tests.bench.contenders import Contender

CONNECTIONS: Final = 64
LATENCY_CONNECTIONS: Final = 32
LATENCY_RATE: Final = 500
WARM_UP_S: Final = 0.7
Rounds = list[dict[str, Any]]


def alternating(contenders: Sequence[Contender], rounds: int) -> Iterator[tuple[int, Contender]]:
    """Each round in the opposite order of the one before, so that a drift of the machine strikes all."""
    for number in range(rounds):
        for contender in contenders if number % 2 == 0 else tuple(reversed(contenders)):
            yield number, contender


def warm_up(contenders: Sequence[Contender]) -> None:
    for contender in contenders:
        seen = contender.drive(connections=8, seconds=WARM_UP_S, prefix="warm-0")
        if contender.sink:
            contender.drained(seen["good"])


def intake(contenders: Sequence[Contender], rounds: int, seconds: float) -> dict[str, Rounds]:
    """One complaint a request, as fast as they are answered; what the webhook lags behind at the end, and the
    rate at which complaints were both accepted and delivered."""
    found: dict[str, Rounds] = {contender.name: [] for contender in contenders}
    for number, contender in alternating(contenders, rounds):
        if contender.sink:
            contender.received(forget=True)
        before = contender.cpu_s()
        seen = contender.drive(connections=CONNECTIONS, seconds=seconds, prefix=f"in-{number:03d}")
        require_good(contender, seen)
        if contender.sink:
            seen["backlog"] = seen["good"] - contender.received()["count"]
            _, drain_s = contender.drained(seen["good"])
            seen["drain_s"] = drain_s
            seen["delivered_rate"] = seen["good"] / (seen["seconds"] + drain_s)
            seen["cpu_us_with_delivery"] = (contender.cpu_s() - before) / seen["good"] * 1e6
        found[contender.name].append(seen)
    return found


def latency(contenders: Sequence[Contender], rounds: int, seconds: float) -> dict[str, Rounds]:
    """From the due time of a request to its webhook's arrival, at a fixed rate."""
    found: dict[str, Rounds] = {contender.name: [] for contender in contenders}
    for number, contender in alternating(contenders, rounds):
        contender.received(forget=True)
        seen = contender.drive(
            connections=LATENCY_CONNECTIONS, seconds=seconds, rate=LATENCY_RATE, prefix=f"la-{number:03d}"
        )
        require_good(contender, seen)
        contender.drained(seen["good"])
        found[contender.name].append(latencies(seen, contender.received()))
    return found


def latencies(seen: dict[str, Any], arrived: dict[str, Any]) -> dict[str, Any]:
    """One round: when it arrived, when it was answered, and whether the load was the one that was meant."""
    return {
        "p50_ms": arrived["p50_ms"],
        "p99_ms": arrived["p99_ms"],
        "answered_p50_ms": seen["p50_ms"],
        "answered_p99_ms": seen["p99_ms"],
        "rate": seen["rate"],
        "late_ms": seen["late_ms"],
        "cpu_us": seen["cpu_us"],
        "driver_cpu_share": seen["driver_cpu_share"],
    }


def bulk(
    contender: Contender,
    rounds: int,
    lines: int,
    last: Callable[[], int],
    inserts: Mapping[str, Callable[[int], dict[str, Any]]],
) -> dict[str, Rounds]:
    """An NDJSON batch, and then the same rows, those beyond the position `last`, by each raw insert."""
    found: dict[str, Rounds] = {name: [] for name in ("hub", *inserts)}
    for number in range(rounds):
        after = last()
        found["hub"].append(send_batch(contender, lines, f"bu-{number:03d}"))
        for name in inserts if number % 2 == 0 else reversed(list(inserts)):
            found[name].append(inserts[name](after))
    return found


def send_batch(contender: Contender, lines: int, prefix: str) -> dict[str, Any]:
    """One batch, with the server's processor time a line and its memory."""
    before = contender.cpu_s()
    seen = machine.ask("tests.bench.bulk_driver", contender.job(count=lines, prefix=prefix))
    require_good(contender, seen)
    seen["cpu_us"] = (contender.cpu_s() - before) / seen["good"] * 1e6
    seen["peak_mib"] = machine.peak_resident_mib(contender.pids[0])
    return seen


def require_good(contender: Contender, seen: dict[str, Any]) -> None:
    """A rate of refusals would be no rate."""
    if set(seen["statuses"]) != {"201"}:
        raise RuntimeError(f"{contender.name} answered otherwise than with 201: {seen['statuses']}")
