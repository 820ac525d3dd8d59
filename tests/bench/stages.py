"""`python -m tests.bench.stages [--database URL]`: the path of a complaint inside the hub by stages,
without a socket and a profiler: processor microseconds a complaint, and time on the clock where the disk
is waited for."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from auth.principal import Principal
from auth.scopes import DEFAULT_SCOPES
from hub.api import answers
from hub.app import idle_hub
from hub.app_core import Core, open_core
from hub.domain.agency import Agency
from hub.domain.case import Case
from hub.domain.privacy import split_complaint
from hub.service import strict_json
from hub.service.requests import OPERATOR, Outcome, RegisterAgency, Request
from hub.service.views import case_view
from hub.settings import Settings
from tests.bench.bodies import AGENCY, halves, reference

COUNT: Final = 1024
BATCHES: Final = (1, 4, 16, 64, 256)


def main() -> None:
    """On SQLite, or on an empty PostgreSQL database."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stages")
    parser.add_argument("--database", help="postgresql://user@host:port/name of an empty database")
    url = parser.parse_args().database
    with (
        tempfile.TemporaryDirectory(prefix="simpul-stages-") as folder,
        open_core(Settings(data_dir=Path(folder), database_url=url), migrates=True) as core,
    ):
        core.operate(RegisterAgency(Agency(AGENCY, "Pemkab Kotim", "regency", "62.02")))
        core.registry.refresh()
        _measure(core)


def _measure(core: Core) -> None:
    desk = idle_hub(core).desk
    client = Principal(OPERATOR, AGENCY, DEFAULT_SCOPES, "", 0.0)  # known without a row of its own
    bodies = list(_bodies(COUNT * (len(BATCHES) + 1)))
    documents = [strict_json.parse(body) for body in bodies]
    shown("strict_json.parse", (partial(strict_json.parse, body) for body in bodies[:COUNT]))
    shown("split_complaint (masking)", (partial(split_complaint, d) for d in documents[:COUNT]))
    shown("desk.prepare (check, split, seal)", (partial(desk.prepare, client, d) for d in documents[:COUNT]))
    shown("registry_generation", (core.store.registry_generation for _ in range(COUNT)))
    outcomes: list[Any] = []
    for number, size in enumerate(BATCHES, 1):
        some = documents[number * COUNT : (number + 1) * COUNT]
        outcomes = _batches(core, [desk.prepare(client, document) for document in some], size)
    cases = [outcome.case for outcome in outcomes if isinstance(outcome, Outcome) and outcome.case]
    shown("case_view and dumps", (partial(_answer, c) for c in cases))


def _answer(case: Case) -> bytes:
    return answers.dumps(case_view(case, AGENCY, datetime.now(UTC)))


def _bodies(count: int) -> Iterable[bytes]:
    before, after = halves()
    return (before + reference("stages", number, 0) + after for number in range(count))


def _batches(core: Core, requests: list[Request], size: int) -> list[Any]:
    outcomes: list[Any] = []
    used: list[float] = []
    waited: list[float] = []
    for first in range(0, len(requests), size):
        some = requests[first : first + size]
        cpu_s, began = time.thread_time(), time.perf_counter()
        results, _ = core.runner.run(some)
        used.append((time.thread_time() - cpu_s) / len(some))
        waited.append((time.perf_counter() - began) / len(some))
        outcomes += results
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Outcome)]
    if refused:
        raise RuntimeError(f"refused: {refused[0]!r}")
    cpu_us, clock_us = statistics.median(used) * 1e6, statistics.median(waited) * 1e6
    print(f"  transaction, batches of {size:<4} {cpu_us:>8.0f} us, {clock_us:.0f} on the clock")
    return outcomes


def shown(what: str, calls: Iterable[Callable[[], Any]]) -> None:
    """The mean over all calls; a first tenth warms up."""
    prepared = list(calls)
    for call in prepared[: len(prepared) // 10]:
        call()
    began = time.thread_time()
    for call in prepared:
        call()
    print(f"  {what:<34} {(time.thread_time() - began) / len(prepared) * 1e6:>8.1f} us")


if __name__ == "__main__":
    main()
