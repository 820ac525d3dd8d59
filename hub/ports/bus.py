"""Who follows the log in this process is told what was committed, here or by another process. Adapter:
`hub/bus/embedded.py`, with Kafka too; Kafka itself is behind `hub/ports/broker.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

Listener = Callable[[Collection[str]], None]
"""Told, on the event loop, which agencies have something new in their mailbox. Must not block or raise."""


@dataclass(frozen=True, slots=True)
class Committed:
    """One transaction's events by their positions in the log, and every agency that got a mailbox entry."""

    first: int
    last: int
    agencies: frozenset[str]


class Bus(Protocol):
    """Guarantees: a listener is told of every agency that got a mailbox entry after it subscribed, at least
    once, whichever process committed it (own commits at once, others' within a second). It is a hint: what
    is there is read from the mailbox, so nothing depends on a hint being delivered only once."""

    def offer(self, commits: Sequence[Committed]) -> None:
        """What this process just committed, in order of position; on the event loop."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Gives the function that ends the subscription."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...
