"""What every kind is built from: the configuration opened, and a connector as loops over it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.applying import Applier, Handler
from connectors.config import Common, secret
from connectors.config import Database as DatabaseSettings
from connectors.database import Database
from connectors.dialects import open_dialect, read_address
from connectors.hub_client import HubClient
from connectors.inbox import Inbox
from connectors.loops import Loop, Step
from connectors.presence import Presence
from connectors.progress import Progress
from connectors.spool import Spool
from connectors.system_health import SystemHealth

REVIVE_S = 3600.0
THREADS_END_S = 2.5


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_database(settings: DatabaseSettings, agency: str) -> Database:
    """The agency's database, not connected yet; raises ConfigRefused for an address that cannot be one."""
    key = "database.url_env"
    address = read_address(secret(settings.url_env, key), key, settings.url_env)
    return Database(open_dialect(address, settings.timeout_s, settings.charset), f"simpul-connector:{agency}")


@dataclass
class Connector:
    """A configured connector, ready to run: its loops, and what must be opened and closed around them."""

    config: Common
    spool: Spool
    hub: HubClient
    database: Database | None = None
    loops: list[Loop] = field(default_factory=list)
    servers: list[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = field(default_factory=list)
    presence: Presence = field(default_factory=lambda: Presence(time.monotonic))
    system_health: SystemHealth = field(default_factory=SystemHealth)

    sessions: list[AbstractAsyncContextManager[Any]] = field(default_factory=list)
    """What is opened on the event loop before the loops start, and closed after they ended."""
    stops: list[Callable[[], threading.Thread | None]] = field(default_factory=list)
    """Each asks a thread to end, and gives the thread."""
    on_restored: Callable[[], None] = lambda: None
    """What the reader of the mailbox calls when the hub has a new incarnation."""

    def __post_init__(self) -> None:
        self.sessions.append(self.hub)
        self.add_loop("telling what moved", Progress(self.spool, time.monotonic).step, 1.0)
        self.hub.on_answer = self._hub_answers
        if self.database is not None:
            self.database.on_answer = self._database_answers

    def _hub_answers(self) -> None:
        self.presence.back("client")
        self.presence.back("hub")

    def _database_answers(self) -> None:
        self.presence.back("database login")
        self.presence.back("database")

    def system_answers(self) -> None:
        """The agency's own HTTP endpoint took an event, or refused one as its own decision."""
        self.system_health.answered()
        self.presence.back("agency endpoint")
        self.presence.back("agency system")

    def add_loop(self, name: str, step: Step, every_s: float) -> Loop:
        loop = Loop(name, step, every_s, self.presence, self.config.hub.backoff_cap_s)
        self.loops.append(loop)
        return loop

    def add_applier(self, inbox: Inbox, handler: Handler, at_once: int = 1) -> Loop:
        """The loop that makes events take effect at the agency, of `at_once` subjects at the same time, and
        the hourly second chance."""
        cap_s = self.config.hub.backoff_cap_s
        applier = Applier(self.spool, inbox, handler, time.time, cap_s, self.system_health, at_once)
        loop = self.add_loop("handing events over", applier.step, 0.5)
        applier.woken, applier.on_ended = loop.woken, loop.goes_on

        async def revive() -> bool:
            inbox.revive()
            return False

        self.add_loop("second chances", revive, REVIVE_S)
        return loop

    def close(self) -> None:
        until_s = time.monotonic() + THREADS_END_S
        for thread in [stop() for stop in self.stops]:
            if thread is not None:
                thread.join(max(0.0, until_s - time.monotonic()))
        if self.database is not None:
            self.database.close()
        self.spool.close()


@dataclass(frozen=True)
class Kind:
    """A kind of connector: one file of its own, named in kinds.py."""

    config: type[Common]
    checks: tuple[Callable[[Any], None], ...]
    build: Callable[[Any, Spool], Connector]
    check: Callable[[Any, Any], Awaitable[None]]
    """The kind's own part of `simpul-connector check`: (configuration, report)."""
    agencies: Callable[[Any], dict[str, list[str]]] = lambda config: {}
    """Other agencies that a configuration names, by their key; `check` asks the hub for them."""
