"""Looks at the hub from beside it, ten times a second: who holds which role, how far the log and the inbound
topics are, and what each process says of itself."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from tests.parts.caller import DIRECT

LOOK_EVERY_S: Final = 0.1
ASK_EVERY_S: Final = 0.5
LEASES: Final = "SELECT name, token FROM leases WHERE until > extract(epoch FROM clock_timestamp())"
PLACES: Final = (
    "SELECT (SELECT coalesce(max(position), 0) FROM log), "
    "(SELECT coalesce(sum(next_offset), 0) FROM inbound_positions)"
)


@dataclass(frozen=True)
class Look:
    """`held`: role -> its lease's token, of those that are held."""

    at: float
    held: dict[str, int]
    position: int
    inbound: int


@dataclass
class Watch:
    """Looks from `start` to `stop`; `urls` are the processes that are asked, by name."""

    database_url: str
    urls: Callable[[], dict[str, str]]
    looks: list[Look] = field(default_factory=list)
    said: list[tuple[float, str, str]] = field(default_factory=list)
    """(when, process, status): ready, degraded, unavailable or silent."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=look, daemon=True) for look in (self._look, self._ask)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    # --- what is asked of it ------------------------------------------------------------------------------

    def token(self, role: str) -> int:
        return next((look.held[role] for look in reversed(self.looks) if role in look.held), 0)

    def until(self, wanted: Callable[[], Any], within_s: float) -> float | None:
        """Seconds until `wanted` is true; None when it did not become so in time."""
        began = time.monotonic()
        while not wanted():
            if time.monotonic() - began > within_s:
                return None
            time.sleep(LOOK_EVERY_S / 2)
        return time.monotonic() - began

    def held_anew_at(self, role: str, token: int) -> float | None:
        """When a later lease than `token` was first seen."""
        return next((look.at for look in self.looks if look.held.get(role, 0) > token), None)

    def inbound_on_at(self, after: float) -> float | None:
        """When inbound records were first taken after that moment."""
        looks = [look for look in self.looks if look.at > after]
        return next((look.at for look in looks if look.inbound > looks[0].inbound), None)

    def log_on_at(self, after: float) -> float | None:
        looks = [look for look in self.looks if look.at > after]
        return next((look.at for look in looks if look.position > looks[0].position), None)

    def longest_stall_s(self, since: float) -> float:
        """The longest time in which nobody's commit reached the log."""
        longest, last_at, position = 0.0, since, 0
        for look in list(self.looks):
            if look.at >= since and look.position > position:
                longest, last_at, position = max(longest, look.at - last_at), look.at, look.position
        return max(longest, (self.looks[-1].at if self.looks else since) - last_at)

    def statuses(self, name: str, since: float) -> set[str]:
        return {status for at, who, status in list(self.said) if who == name and at >= since}

    def said_at(self, name: str, status: str, since: float) -> float | None:
        """When the process first said so after `since`."""
        return next(
            (at for at, who, said in list(self.said) if who == name and said == status and at > since), None
        )

    # --- threads ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._ended.wait(LOOK_EVERY_S):
            try:
                if connection is None or connection.closed:
                    connection = psycopg.connect(self.database_url, autocommit=True, connect_timeout=2)
                held = dict(connection.execute(LEASES).fetchall())
                position, inbound = connection.execute(PLACES).fetchone() or (0, 0)
                self.looks.append(Look(time.monotonic(), held, int(position), int(inbound)))
            except psycopg.Error:  # the database is away; that is what the run is about
                connection = None
        if connection is not None:
            connection.close()

    def _ask(self) -> None:
        while not self._ended.wait(ASK_EVERY_S):
            for name, url in self.urls().items():
                self.said.append((time.monotonic(), name, status_of(url)))


def status_of(url: str) -> str:
    """What /readyz says."""
    try:
        with DIRECT.open(f"{url}/readyz", timeout=1.0) as response:
            return str(json.load(response)["status"])
    except urllib.error.HTTPError as refused:
        return str(json.load(refused).get("status", "unavailable"))
    except (OSError, ValueError):
        return "silent"
