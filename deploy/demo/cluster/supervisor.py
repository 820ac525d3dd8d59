"""One run of the cluster: starts parts, hub processes and agencies; starts again whatever falls;
ends everything in the opposite order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing

import aiohttp
import psycopg

from deploy.demo.cluster import brokers, postgres
from deploy.demo.cluster.board import Board
from deploy.demo.cluster.cast import ClusterCast, groups, make_passwords
from deploy.demo.cluster.layout import BROKERS, POSTGRES, ClusterLayout
from deploy.demo.cluster.screen import ClusterScreen
from deploy.demo.cluster.watch import Watch
from deploy.demo.interpreter import Interpreter
from deploy.demo.journeys import Journeys
from deploy.demo.layout import HOST
from deploy.demo.monitor import Monitor
from deploy.demo.ports import CannotStart
from deploy.demo.processes import Died
from deploy.demo.registration import register, register_webhook
from deploy.demo.secrets_file import Secrets
from deploy.demo.supervisor import Supervisor

PART_WITHIN_S = 90.0
LOOK_EVERY_S = 0.1
STARTED = "Kafka Server started"


class Broke(Exception):
    """A part ended while the rest was still being started."""

    def __init__(self, died: Died) -> None:
        super().__init__(died.explain())
        self.died = died


class Stopped(Exception):
    """It was told to stop before everything ran."""


class ClusterSupervisor(Supervisor):
    """Like the demo's, but that a process that ends is started again, as systemd would."""

    longest_end = "twenty seconds"

    def __init__(
        self,
        layout: ClusterLayout,
        minutes: float | None,
        screen: ClusterScreen,
        journeys: Journeys,
        board: Board,
    ) -> None:
        super().__init__(layout, minutes, screen, journeys)
        self._cluster, self._board = layout, board
        self._vault = Secrets(layout.secrets)

    async def _run(self) -> Died | None:
        make_passwords(self._vault)
        cast = ClusterCast(self._cluster, self._vault, self._processes)
        try:
            with closing(Interpreter(self._cluster)) as simpul:
                await self._start(cast, simpul)
        except Broke as broke:
            return broke.died
        except Stopped:
            return None
        for name in self._processes.names:
            self._board.started(name, self._processes.pid(name), time.monotonic())
        self._screen.flowing()
        watch = asyncio.create_task(Watch(self._cluster, self._board, self._screen).run())
        try:
            return await self._watch(Monitor(self._cluster, self._vault, self._screen, self._journeys))
        finally:
            watch.cancel()
            await asyncio.wait([watch])

    async def _start(self, cast: ClusterCast, simpul: Interpreter) -> None:
        layout, say = self._cluster, self._screen.say
        say("starting PostgreSQL …")
        await asyncio.to_thread(postgres.prepare, layout, self._vault.get("postgres_password"))
        cast.database()
        await self._until(self._database_answers, POSTGRES)
        say("making the hub's tables, starting three Kafka brokers …")
        preparing = asyncio.to_thread(brokers.prepare, layout, self._vault.get("broker_password"))
        await asyncio.gather(preparing, asyncio.to_thread(simpul.run, "migrate"))
        cast.brokers()
        for name in BROKERS:
            await self._until(lambda name=name: self._broker_started(name), name)  # type: ignore[misc]
        say("starting the hub's six processes …")
        cast.hub()
        await asyncio.to_thread(register, layout, self._vault, say, simpul)
        await asyncio.to_thread(simpul.run, "topics", "apply")
        for name, port in layout.hub_ports.items():
            await self._until(lambda port=port: _is_ready(port), name)  # type: ignore[misc]
        say("starting two apps, three ministries and their connectors …")
        await register_webhook(layout, self._vault)
        cast.everyone()

    async def _until(self, works: Callable[[], Awaitable[bool]], name: str) -> None:
        """Raises Broke, Stopped, or CannotStart when it takes too long."""
        deadline = time.monotonic() + PART_WITHIN_S
        while not await works():
            if self._signals:
                raise Stopped
            if died := self._processes.dead():
                raise Broke(died)
            if time.monotonic() > deadline:
                log = self._processes.log(name)
                raise CannotStart(f"{name} was not ready in {PART_WITHIN_S:.0f} s; see {log}")
            await asyncio.sleep(LOOK_EVERY_S)
        if self._signals:
            raise Stopped

    async def _database_answers(self) -> bool:
        password = str(self._vault.get("postgres_password"))
        try:
            await asyncio.to_thread(postgres.make_database, self._cluster, password)
        except psycopg.OperationalError:
            return False
        return True

    async def _broker_started(self, name: str) -> bool:
        """Since its last start; a broker says so when the others know of it."""
        text = self._processes.log(name).read_text("utf-8", "replace")
        return STARTED in text.rpartition("--- started ")[2]

    def _look(self) -> Died | None:
        """Nothing that falls ends the run."""
        now = time.monotonic()
        for died in self._processes.fallen():
            if self._board.rows[died.name].state != "down":
                words = self._board.fell(died.name, died.how, now)
                self._screen.say(f"{time.strftime('%H:%M:%S')}  {words}")
        for name in self._board.due(now):
            self._processes.again(name)
            self._board.started(name, self._processes.pid(name), now)
        return None

    async def _stop(self, hurry: Callable[[], bool]) -> list[str]:
        killed = []
        for names, within_s in groups(self._processes.names):
            killed += await self._processes.stop_these(names, hurry, within_s)
        return killed


async def _is_ready(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"http://{HOST}:{port}/readyz") as answer,
        ):
            return answer.status == 200
    except (TimeoutError, aiohttp.ClientError):
        return False
