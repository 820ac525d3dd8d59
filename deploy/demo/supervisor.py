"""One run: checks, registers, starts everyone, watches, and ends them all."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import closing, suppress

import aiohttp

from deploy.demo.api import session
from deploy.demo.cast import Cast
from deploy.demo.interpreter import Interpreter
from deploy.demo.journeys import Journeys
from deploy.demo.layout import Layout
from deploy.demo.monitor import Monitor
from deploy.demo.ports import CannotStart, check_ports, only_one
from deploy.demo.processes import Died, Processes
from deploy.demo.registration import register, register_webhook
from deploy.demo.screen import Screen, near
from deploy.demo.secrets_file import Secrets

READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.2


class Supervisor:
    """Holds what one run needs. `minutes` ends it by itself; None lets it run until Ctrl-C."""

    longest_end = "ten seconds"

    def __init__(self, layout: Layout, minutes: float | None, screen: Screen, journeys: Journeys) -> None:
        self._layout, self._minutes, self._screen = layout, minutes, screen
        self._processes = Processes(layout.logs)
        self._journeys = journeys
        self._signals = 0

    async def run(self) -> int:
        """The exit code: 0 when it was told to stop, 1 when a part died."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._count_signal, number)
        self._screen.begin()
        self._layout.make_folders()
        with only_one(self._layout):
            check_ports(self._layout)
            try:
                died = await self._run()
            finally:
                self._screen.close()
                self._screen.say(f"stopping everything (at most {self.longest_end}; Ctrl-C again: at once)")
                asked = self._signals
                killed = await self._stop(lambda: self._signals > max(asked, 1))
        return self._conclude(died, killed)

    def _count_signal(self, number: signal.Signals) -> None:
        self._signals += 1
        if number == signal.SIGHUP:
            self._screen.go_on_unseen()

    async def _stop(self, hurry: Callable[[], bool]) -> list[str]:
        return await self._processes.stop(hurry)

    async def _run(self) -> Died | None:
        secrets = Secrets(self._layout.secrets)
        cast = Cast(self._layout, secrets, self._processes)
        with closing(Interpreter(self._layout)) as simpul:
            if not (self._layout.hub_data / "simpul.db").exists():
                self._screen.say("making the hub's database …")
                await asyncio.to_thread(simpul.run, "migrate")
            self._screen.say("starting the hub …")
            cast.hub()
            await asyncio.to_thread(register, self._layout, secrets, self._screen.say, simpul)
        if died := await self._until_ready():
            return died
        if self._signals:
            return None
        self._screen.say("starting two apps, two ministries and their connectors …")
        await register_webhook(self._layout, secrets)
        cast.everyone()
        self._screen.flowing()
        return await self._watch(Monitor(self._layout, secrets, self._screen, self._journeys))

    async def _until_ready(self) -> Died | None:
        """Waits for the hub to say that it can commit."""
        deadline, log = time.monotonic() + READY_WITHIN_S, self._processes.log("hub")
        async with session() as http:
            while not self._signals:
                if died := self._processes.dead():
                    return died
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(f"{self._layout.hub_url}/readyz") as answer:
                        if answer.status == 200:
                            return None
                if time.monotonic() > deadline:
                    raise CannotStart(f"The hub was not ready in {READY_WITHIN_S:.0f} s; see {log}")
                await asyncio.sleep(0.1)
        return None

    async def _watch(self, monitor: Monitor) -> Died | None:
        """Until told to stop, the time is over, or a child has died."""
        task = asyncio.create_task(monitor.run())
        over_s = None if self._minutes is None else time.monotonic() + self._minutes * 60
        try:
            while not self._signals and not task.done() and (over_s is None or time.monotonic() < over_s):
                if died := self._look():
                    return died
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            task.result()  # the watching itself failed: say why
        return None

    def _look(self) -> Died | None:
        """The child whose end ends the run."""
        return self._processes.dead()

    def _conclude(self, died: Died | None, killed: list[str]) -> int:
        say: Callable[[str], None] = self._screen.say
        if killed:
            say(f"ended the hard way: {', '.join(killed)}")
        if died is not None:
            say(died.explain())
        else:
            folder = near(self._layout.folder)
            say(f"`{self._layout.target}` goes on from here; remove the folder to begin anew: {folder}")
        self._screen.say(f"stopped; nothing is left running. {self._screen.totals()}.", by_words=True)
        return 0 if died is None else 1
