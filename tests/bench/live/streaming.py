"""Posted to seen over `GET /v1/stream`: 1,000 streams, ten of each agency, 100 complaints a second, each seen
by the ten streams of its agency; beside the same posts with no stream open."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.bench import machine
from tests.bench.figures import Bar, median, table
from tests.parts.hub import HubProcess
from tests.stream.streamwork import crowd, furnish

Rounds = list[dict[str, Any]]
AGENCIES: Final = 100
RATE: Final = 100
STREAMS: Final = {"no stream": 0, "1,000 streams": 1000}
P99_BAR_MS: Final = 100.0
WARM_UP_S: Final = 1.0


def streaming(folder: Path, rounds: int, seconds: float) -> dict[str, Rounds]:
    """What the driver saw a round, and the hub's processor time a post."""
    folder.mkdir()
    hub = HubProcess(folder, roles="api")
    members = furnish(hub, AGENCIES)
    found: dict[str, Rounds] = {name: [] for name in STREAMS}
    with ExitStack() as stack:
        stack.callback(hub.kill)
        hub.start()
        _round(hub, members, "warm", 0, WARM_UP_S)
        for number in range(rounds):
            for name in STREAMS if number % 2 == 0 else reversed(STREAMS):
                prefix = f"{STREAMS[name]}-{number}"
                found[name].append(_round(hub, members, prefix, STREAMS[name], seconds))
        hub.stop()
    return found


def _round(hub: HubProcess, members: list[Any], prefix: str, streams: int, seconds: float) -> dict[str, Any]:
    more = {"streams": streams, "rate": RATE, "seconds": seconds, "prefix": prefix}
    with crowd([hub.port], hub.port, members, **more) as driver:
        before = machine.cpu_s(hub.pid)
        seen = driver.finish()
        used = machine.cpu_s(hub.pid) - before
    if seen["missed"] or seen["twice"] or seen["unlike"] or seen["came_back"]:
        raise RuntimeError(f"not everything was seen once: {seen}")
    made = {"cpu_us": used / seen["posted"] * 1e6, "resident_mib": machine.resident_mib(hub.pid)}
    return seen | made


def show_streaming(found: dict[str, Rounds]) -> None:
    columns = {"p50_ms": "posted to seen p50 ms", "p99_ms": "p99 ms", "max_ms": "slowest ms"}
    columns |= {"answered_p50_ms": "post's answer p50 ms", "answered_p99_ms": "p99 ms"}
    columns |= {"cpu_us": "hub's processor us a post", "resident_mib": "resident MiB"}
    columns |= {"driver_cpu_share": "driver processors"}
    table(f"Live streams, {RATE} posts a second, each seen by ten", found, columns)


def streaming_bars(found: dict[str, Rounds]) -> list[Bar]:
    quiet, live = found["no stream"], found["1,000 streams"]
    share = (median(live, "cpu_us") - median(quiet, "cpu_us")) / 10
    return [
        Bar("posted to seen, 1,000 streams, p99", median(live, "p99_ms"), P99_BAR_MS, most=True, unit=" ms"),
        Bar("posted to seen, 1,000 streams, p50", median(live, "p50_ms"), None, most=True, unit=" ms"),
        Bar("an event for one stream, processor time", share, None, most=True, unit=" us"),
    ]
