"""The parts of the benchmark: what each measures and prints. A part gives its results by name; one or two
that need the same servers are measured together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.bench import contenders, experiments, machine
from tests.bench.casework.bars import show_clock, show_coordination
from tests.bench.casework.coordination import coordination
from tests.bench.casework.deadlines import deadlines
from tests.bench.casework.rooms import rooms, show_rooms
from tests.bench.cluster import bars
from tests.bench.cluster.inbound import inbound
from tests.bench.cluster.latency import topic_latency
from tests.bench.cluster.relaying import catch_up, relay
from tests.bench.cluster.services import Services
from tests.bench.cluster.two_apis import two_apis
from tests.bench.databases import Server
from tests.bench.figures import POSTGRES, headroom, table
from tests.bench.growth import growth
from tests.bench.live.streaming import show_streaming, streaming
from tests.bench.size import Size
from tests.parts.hub import HubProcess

Results = dict[str, Any]
RAW: Final = ("executemany", "copy")


@dataclass(frozen=True)
class Run:
    """`wanted` are the names of the parts that were asked for."""

    folder: Path
    size: Size
    services: Services
    wanted: Collection[str]


def sqlite_side_by_side(run: Run) -> Results:
    return _side_by_side(run, None, "")


def postgres_side_by_side(run: Run) -> Results:
    return _side_by_side(run, run.services.postgres, "pg-")


def _side_by_side(run: Run, server: Server | None, kind: str) -> Results:
    results: Results = {}
    where = POSTGRES if server else ""
    with ExitStack() as stack:
        nothing = stack.enter_context(contenders.empty())
        rival = stack.enter_context(contenders.outbox())
        hub, _ = stack.enter_context(contenders.hub(run.folder / f"{kind}intake", server=server))
        senders = [hub] if rival is None else [rival, hub]
        experiments.warm_up([nothing, *senders])
        if f"{kind}intake" in run.wanted:
            found = experiments.intake([nothing, *senders], run.size.rounds, run.size.intake_s)
            results[f"{kind}intake"] = found
            _show_intake(found, where)
        if f"{kind}latency" in run.wanted:
            latency = experiments.latency(senders, run.size.rounds, run.size.latency_s)
            results[f"{kind}latency"] = latency
            columns = {"p50_ms": "webhook p50 ms", "p99_ms": "p99 ms", "answered_p50_ms": "answer p50 ms"}
            columns |= {"answered_p99_ms": "p99 ms", "cpu_us": "processor us", "late_ms": "driver late ms"}
            table(f"Request sent to webhook received{where}, 500 a second", latency, columns)
        resident = {c.name: machine.resident_mib(c.pids[0]) for c in (nothing, *senders)}
        results[f"{kind}resident_mib"] = resident
    return results


def _show_intake(found: dict[str, Any], where: str) -> None:
    columns = {"rate": "accepted/s", "cpu_us": "server processor us", "p99_ms": "answer p99 ms"}
    columns |= {"backlog": "webhook backlog", "delivered_rate": "accepted+delivered/s"}
    columns |= {"cpu_us_with_delivery": "processor us, delivery too", "driver_cpu_share": "driver processors"}
    table(f"Intake{where}, one request each, a webhook subscribed (access logs off)", found, columns)
    print(headroom(found))


def sqlite_bulk(run: Run) -> Results:
    """The raw insert goes into a database that grows alike."""
    with contenders.hub(run.folder / "bulk", webhook=False) as (hub, process):
        database, raw = process.data / "simpul.db", run.folder / "raw.db"

        def last() -> int:
            with sqlite3.connect(database) as connection:
                return int(connection.execute("SELECT max(position) FROM log").fetchone()[0])

        def insert(after: int) -> Results:
            return machine.call("tests.bench.raw_insert", str(database), str(raw), str(after))

        found = experiments.bulk(hub, run.size.rounds, run.size.bulk_lines, last, {"raw insert": insert})
    _show_bulk(found, run.size.bulk_lines, "")
    return {"bulk": found}


def postgres_bulk(run: Run) -> Results:
    """Both ways of inserting, each into a migrated database of its own."""
    server = run.services.postgres
    with contenders.hub(run.folder / "pg-bulk", webhook=False, server=server) as (hub, process):
        url, raws = process.env["SIMPUL_DATABASE_URL"], {method: server.make() for method in RAW}
        for method, raw in raws.items():
            folder = run.folder / f"pg-raw-{method}"
            folder.mkdir()
            HubProcess(folder, {"SIMPUL_DATABASE_URL": raw}).cli("migrate")

        def last() -> int:
            with psycopg.connect(url) as connection:
                row = connection.execute("SELECT max(position) FROM log").fetchone()
                return int(row[0]) if row else 0

        def insert_by(method: str) -> Callable[[int], Results]:
            job = {"hub": url, "raw": raws[method], "method": method, "pids": server.pids}
            return lambda after: machine.ask("tests.bench.cluster.raw_rows", job | {"after": after})

        inserts = {f"raw {method}": insert_by(method) for method in RAW}
        found = experiments.bulk(hub, run.size.rounds, run.size.bulk_lines, last, inserts)
    _show_bulk(found, run.size.bulk_lines, POSTGRES)
    return {"pg-bulk": found}


def _show_bulk(found: Results, lines: int, where: str) -> None:
    columns = {"rate": "complaints/s", "cpu_us": "processor us", "peak_mib": "peak MiB"}
    columns |= {"driver_cpu_share": "driver processors"}
    table(f"Bulk NDJSON{where}, {lines:,} lines, beside the same rows raw", found, columns)


def sqlite_growth(run: Run) -> Results:
    return {"growth": _growth(run, None, "")}


def postgres_growth(run: Run) -> Results:
    """Vacuumed and analysed after the load, as autovacuum does within a minute."""
    return {"pg-growth": _growth(run, run.services.postgres, POSTGRES)}


def _growth(run: Run, server: Server | None, where: str) -> Results:
    folder = run.folder / f"growth-{'pg' if server else 'sqlite'}"
    print(f"\nGrowth{where}", flush=True)
    found = growth(folder, run.size.cases, run.size.rounds, run.size.requests, server)
    columns = {"cpu_us": "processor us a request", "p50_ms": "median ms"}
    for operation, costs in found["costs"].items():
        table(f"Growth{where}: {operation}, cases:", costs, columns)
    memory = {name: round(value) for name, value in found["memory"].items() if name != "batch_rates"}
    starts = ", ".join(f"{seconds:.2f}" for seconds in found["start_s"])
    print(f"\nMemory (MiB): {memory}; start: {starts} s")
    return found


def coordinated(run: Run) -> Results:
    found = coordination(run.folder / "coordination", run.size.rounds, run.size.coordinated)
    show_coordination(found, "")
    return {"coordination": found}


def postgres_coordinated(run: Run) -> Results:
    server, folder = run.services.postgres, run.folder / "pg-coordination"
    found = coordination(folder, run.size.rounds, run.size.coordinated, server)
    show_coordination(found, POSTGRES)
    return {"pg-coordination": found}


def roomed(run: Run) -> Results:
    found = rooms(run.folder / "rooms", run.size.rounds, run.size.coordinated, run.size.requests)
    show_rooms(found, "")
    return {"rooms": found}


def postgres_roomed(run: Run) -> Results:
    server, folder = run.services.postgres, run.folder / "pg-rooms"
    found = rooms(folder, run.size.rounds, run.size.coordinated, run.size.requests, server)
    show_rooms(found, POSTGRES)
    return {"pg-rooms": found}


def clocked(run: Run) -> Results:
    found = deadlines(run.folder / "clock", run.size.deadlines, run.size.rounds, run.size.requests)
    show_clock(found, "")
    return {"clock": found}


def postgres_clocked(run: Run) -> Results:
    server, folder = run.services.postgres, run.folder / "pg-clock"
    found = deadlines(folder, run.size.deadlines, run.size.rounds, run.size.requests, server)
    show_clock(found, POSTGRES)
    return {"pg-clock": found}


def streamed(run: Run) -> Results:
    found = streaming(run.folder / "stream", run.size.rounds, run.size.latency_s)
    show_streaming(found)
    return {"stream": found}


def relayed(run: Run) -> Results:
    found = relay(run.folder, run.services, run.size.rounds, run.size.relayed, run.size.log_alone)
    bars.show_relay(found)
    return {"relay": found}


def taken_in(run: Run) -> Results:
    found = inbound(run.folder, run.services, run.size.rounds, run.size.inbound)
    bars.show_inbound(found)
    return {"inbound": found}


def on_topic(run: Run) -> Results:
    found = topic_latency(run.folder, run.services, run.size.rounds, run.size.latency_s)
    bars.show_topic_latency(found)
    return {"topic-latency": found}


def caught_up(run: Run) -> Results:
    found = catch_up(run.folder, run.services, run.size.rounds, run.size.waiting)
    bars.show_catch_up(found)
    return {"catch-up": found}


def shared(run: Run) -> Results:
    found = two_apis(run.folder, run.services, run.size.rounds, run.size.shared_s)
    bars.show_two_apis(found)
    return {"two-api": found}


GROUPS: Final[dict[tuple[str, ...], Callable[[Run], Results]]] = {
    ("intake", "latency"): sqlite_side_by_side,
    ("bulk",): sqlite_bulk,
    ("growth",): sqlite_growth,
    ("coordination",): coordinated,
    ("rooms",): roomed,
    ("clock",): clocked,
    ("stream",): streamed,
    ("pg-intake", "pg-latency"): postgres_side_by_side,
    ("pg-bulk",): postgres_bulk,
    ("pg-growth",): postgres_growth,
    ("pg-coordination",): postgres_coordinated,
    ("pg-rooms",): postgres_roomed,
    ("pg-clock",): postgres_clocked,
    ("two-api",): shared,
    ("relay",): relayed,
    ("inbound",): taken_in,
    ("topic-latency",): on_topic,
    ("catch-up",): caught_up,
}
"""In the order in which they run."""
