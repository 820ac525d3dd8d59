"""What the parts over Kafka and several processes show, and their bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tests.bench.cluster.relaying import ALONE, INTAKE_RATE, RELAY
from tests.bench.cluster.two_apis import RATE
from tests.bench.figures import Bar, headroom, median, table

Rounds = Sequence[dict[str, Any]]
Found = Mapping[str, Rounds]
SHARES: Final = {"own_share": "its processors", "broker_share": "broker's", "postgres_share": "PostgreSQL's"}
KEPT_UP: Final = 0.98
"""Of the rate asked for, the least at which a load counts as held."""


def show_relay(found: Mapping[str, Found]) -> None:
    for published, rounds in found.items():
        columns = {"rate": "records/s", "cpu_us": "processor us, all", **SHARES}
        table(f"Relay, {published}, beside kafka-python with the very same records", rounds, columns)


def show_inbound(found: Found) -> None:
    columns = {"rate": "complaints/s", "cpu_us": "processor us, all", **SHARES}
    table("Inbound: complaints that wait on an agency's topic", found, columns)


def show_topic_latency(found: Found) -> None:
    columns = {"p50_ms": "topic p50 ms", "p99_ms": "p99 ms", "answered_p50_ms": "answer p50 ms"}
    columns |= {"answered_p99_ms": "p99 ms", "cpu_us": "processor us, all", "late_ms": "driver late ms"}
    columns |= {"reader_cpu_share": "reader's processors"}
    table("Request sent to record on the agency's topic, 500 a second", found, columns)
    print(headroom(found))


def show_catch_up(found: Found) -> None:
    columns = {"events_rate": "events/s", "rate": "records/s", **SHARES, "api_share": "API's"}
    columns |= {"answered_p50_ms": "answer p50 ms", "answered_p99_ms": "p99 ms"}
    waiting = max(seen["waiting"] for seen in found[RELAY])
    table(f"Catching up with {waiting:,} events, intake {INTAKE_RATE} a second meanwhile", found, columns)
    share = max(seen["driver_cpu_share"] for seen in found[RELAY])
    print(f"  load generator: at most {share:.0%} of a processor")


def show_two_apis(found: Found) -> None:
    columns = {"rate": "accepted/s", "cpu_us": "processor us", "api_us": "of it API"}
    columns |= {"database_us": "of it PostgreSQL"}
    columns |= {"p50_ms": "answer p50 ms", "p99_ms": "p99 ms", "late_ms": "driver late ms"}
    table(f"API processes over one PostgreSQL, {RATE} requests a second in all", found, columns)
    print(headroom(found))
    slow = [name for name, rounds in found.items() if median(rounds, "rate") < KEPT_UP * RATE]
    if slow:
        print(f"  THE LOAD WAS NOT HELD ({', '.join(slow)}): batches differ, so the ratio says little")
    rounds = found["two processes"]
    api, database = median(rounds, "api_us"), median(rounds, "database_us")
    each = 1e6 / (api + database)
    print(
        f"  reckoned from the cost at this load, not measured (a fuller process commits more at once, which "
        f"costs less): an API process fills a processor at {1e6 / api:,.0f}/s, each 1,000/s take "
        f"{database / 1000:.1f} processors of PostgreSQL; 4 processors carry some {4 * each:,.0f}/s, 8 some "
        f"{8 * each:,.0f}/s, unless the log's tail, one commit at a time, is the limit first"
    )


def _relay(found: Mapping[str, Found]) -> list[Bar]:
    """Beside the faster of the library's two ways."""
    return [
        Bar(
            f"relay, {published}: relay / kafka-python",
            median(rounds[RELAY], "rate") / max(median(rounds[name], "rate") for name in ALONE),
            0.5,
        )
        for published, rounds in found.items()
    ]


def _inbound(found: Found) -> list[Bar]:
    return [Bar("inbound consumer", median(found["inbound"], "rate"), 3000.0, unit="/s")]


def _topic_latency(found: Found) -> list[Bar]:
    rounds = found["agency's topic"]
    return [
        Bar(
            f"accepted to agency's topic at 500/s, {name}",
            median(rounds, f"{name}_ms"),
            bar,
            most=True,
            unit=" ms",
        )
        for name, bar in (("p50", 25.0), ("p99", 100.0))
    ]


def _catch_up(found: Found) -> list[Bar]:
    rounds = found[RELAY]
    what = f"catching up with {max(seen['waiting'] for seen in rounds):,} events"
    return [
        Bar(what, median(rounds, "events_rate"), 3000.0, unit="/s"),
        Bar(
            f"{what}: intake meanwhile, of {INTAKE_RATE}/s",
            median(rounds, "intake_rate") / INTAKE_RATE,
            KEPT_UP,
        ),
    ]


def _two_apis(found: Found) -> list[Bar]:
    used = {name: median(rounds, "cpu_us") for name, rounds in found.items()}
    ratio = used["two processes"] / used["one process"]
    return [Bar("two API processes / one, processor time a request", ratio, 1.15, most=True)]


CLUSTER_BARS: Final[dict[str, Callable[[Any], list[Bar]]]] = {
    "relay": _relay,
    "inbound": _inbound,
    "topic-latency": _topic_latency,
    "catch-up": _catch_up,
    "two-api": _two_apis,
}
