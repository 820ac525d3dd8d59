"""How long and how much each part of the benchmark runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Size:
    """`relayed`, `inbound` and `waiting` are records or events a round; `log_alone`: whether the relay is
    also measured without an agency on Kafka; `coordinated`: cases a round; `deadlines`: open ones of the
    large hub."""

    rounds: int
    intake_s: float
    latency_s: float
    bulk_lines: int
    cases: int
    requests: int
    relayed: int
    inbound: int
    waiting: int
    shared_s: float
    log_alone: bool
    coordinated: int
    deadlines: int


FULL: Final = Size(
    rounds=3,
    intake_s=6.0,
    latency_s=10.0,
    bulk_lines=20_000,
    cases=100_000,
    requests=2000,
    relayed=20_000,
    inbound=20_000,
    waiting=100_000,
    shared_s=8.0,
    log_alone=True,
    coordinated=2000,
    deadlines=1_000_000,
)
QUICK: Final = Size(
    rounds=3,
    intake_s=0.8,
    latency_s=1.2,
    bulk_lines=1500,
    cases=3000,
    requests=120,
    relayed=5000,
    inbound=2000,
    waiting=5000,
    shared_s=1.5,
    log_alone=False,
    coordinated=320,
    deadlines=20_000,
)
