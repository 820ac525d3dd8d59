"""What very many open deadlines cost: ticks of the clock, its memory, and the list of overdue cases, in a
small and a large hub side by side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.ports.clock import rfc3339
from hub.service.writer import BULK_CHUNK
from tests.bench import contenders, databases, machine
from tests.bench.bodies import AGENCY
from tests.bench.casework.many_cases import WAKES_FROM, fill_postgres, fill_sqlite
from tests.bench.contenders import Contender
from tests.bench.databases import Server
from tests.bench.experiments import alternating, send_batch
from tests.bench.growth import PAGE, SMALL, costs
from tests.chaos.calls import Api, Reply
from tests.chaos.complaints import complaint
from tests.parts.hub import HubProcess

SECOND: Final = "pemprov-kalteng"
HANDLER: Final = "kemenpu"
DUE: Final = BULK_CHUNK * 8
"""Real cases of each hub, which the clock is to wake: whole chunks."""
IDLE: Final = 100
OVERDUE: Final = f"/v1/cases?overdue=true&limit={PAGE}"
LISTS: Final = ("a list, one in ten overdue", "a list, 60 overdue of all")
"""By the two agencies of `many_cases`."""
REST_S: Final = 3.0
"""For the served hub's own clock to tick a few times."""


@dataclass
class Filled:
    """A hub with many cases, and its two agencies as callers."""

    process: HubProcess
    callers: tuple[Contender, Contender]

    @property
    def name(self) -> str:
        return self.callers[0].name


def deadlines(
    folder: Path, count: int, rounds: int, requests: int, server: Server | None = None
) -> dict[str, Any]:
    """By number of cases, SMALL and `count`: ticks, memory, and by list its costs."""
    with _filled(folder / "small", SMALL, server) as small, _filled(folder / "large", count, server) as large:
        pair = (small, large)
        found: dict[str, Any] = {"cases": count, "costs": _listing(pair, rounds, requests)}
        time.sleep(REST_S)
        found["served_mib"] = {each.name: machine.resident_mib(each.process.pid) for each in pair}
        for each in pair:
            each.process.stop()
        found["ticking"] = _ticking(pair, rounds)
        return found


@contextmanager
def _filled(folder: Path, count: int, server: Server | None) -> Iterator[Filled]:
    name = f"{count:,}"
    with contenders.hub(folder, webhook=False, name=name, server=server) as (first, process):
        region = ("--region", "62")
        member = process.member(SECOND, "Pemprov Kalteng", "--kind", "province", *region)
        second = Contender(name, process.port, first.pids, None, Api(process.port, member))
        handler = Api(process.port, process.member(HANDLER, "Kementerian PU", "--kind", "ministry"))
        send_batch(first, DUE, "ck-due")
        kept = (_forwarded(first, AGENCY, handler), _forwarded(second, SECOND, handler))
        process.stop()
        began = time.monotonic()
        if server is None:
            fill_sqlite(process.data / "simpul.db", kept, count)
        else:
            fill_postgres(process.env["SIMPUL_DATABASE_URL"], kept, count)
            databases.settle(process.env["SIMPUL_DATABASE_URL"])
        print(f"  {name} cases with their deadlines: {time.monotonic() - began:.0f} s", flush=True)
        process.start()
        for contender in (first, second):
            assert contender.api is not None
            contender.pids[0] = process.pid
            contender.api = Api(process.port, contender.api.member)
            _expect_a_page(contender.api)
        yield Filled(process, (first, second))


def _forwarded(owner: Contender, agency: str, handler: Api) -> tuple[str, str]:
    """Two cases of the owner: one that the handler accepted, one that it has yet to accept."""
    assert owner.api is not None
    cases, legs = [], []
    for number in range(2):
        made = _good(owner.api.call("POST", "/v1/complaints", complaint(agency, f"CETAK-{number}", number)))
        _good(owner.api.call("POST", f"/v1/cases/{made['id']}/verification", {"decision": "accept"}))
        to = [{"agency": HANDLER, "role": "lead"}]
        sent = _good(owner.api.call("POST", f"/v1/cases/{made['id']}/forwardings", {"to": to}))
        cases.append(made["id"])
        legs.append(sent["items"][0]["id"])
    _good(handler.call("POST", f"/v1/forwardings/{legs[0]}/acceptance", {}))
    return cases[0], cases[1]


def _good(reply: Reply) -> Any:
    if reply.status not in (200, 201):
        raise RuntimeError(reply.said())
    return reply.document


def _expect_a_page(api: Api) -> None:
    """Both hubs answer with as many cases: else they could not be compared."""
    items = _good(api.call("GET", OVERDUE))["items"]
    if len(items) != PAGE:
        raise RuntimeError(f"{len(items)} overdue cases are listed, and not {PAGE}")


def _listing(pair: Sequence[Filled], rounds: int, requests: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, operation in enumerate(LISTS):
        callers = [each.callers[place] for each in pair]
        found |= costs(callers, {caller.name: {operation: [OVERDUE]} for caller in callers}, rounds, requests)
    return found


def _ticking(pair: Sequence[Filled], rounds: int) -> dict[str, Any]:
    """A process of its own a round; in the last one the clock is set forward, and wakes what is due."""
    now, soon = rfc3339(datetime.now(UTC)), rfc3339(datetime.now(UTC) + WAKES_FROM / 2)
    found: dict[str, Any] = {"ticks": {}, "memory": {}}
    names = {each.name: each for each in pair}
    for number, contender in alternating([each.callers[0] for each in pair], rounds):
        settings = names[contender.name].process.settings()
        until = soon if number == rounds - 1 else now
        job = {"settings": settings, "idle": IDLE, "until": until}
        seen = machine.ask("tests.bench.casework.ticking", job)
        for kind, some in seen["ticks"].items():
            found["ticks"].setdefault(kind, {}).setdefault(contender.name, []).extend(some)
        found["memory"].setdefault(contender.name, []).append(seen["memory"])
    woken = {name: len(some) for name, some in found["ticks"].get(f"{BULK_CHUNK} due", {}).items()}
    if set(woken.values()) != {2 * DUE // BULK_CHUNK}:  # each is approaching once, and missed once
        raise RuntimeError(f"other ticks than were meant, of whole chunks: {woken}")
    return found
