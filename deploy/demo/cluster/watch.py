"""Looks at each process as a monitoring system would: /readyz and /metrics of the hub's, a connection to the
parts, and of the demo's own programs that they live."""

from __future__ import annotations

import asyncio
import re
import time

import aiohttp
import orjson

from deploy.demo.cluster.board import Board, Row, State
from deploy.demo.cluster.layout import BROKERS, HUB_ROLES, POSTGRES, ClusterLayout
from deploy.demo.layout import HOST
from deploy.demo.screen import Screen

EVERY_S = 1.0
ANSWER_WITHIN_S = 2.0
HELD = re.compile(r'^simpul_lease_held\{lease="([^"]+)"\} 1\.0$', re.MULTILINE)
STATES: dict[str, State] = {"ready": "running", "degraded": "degraded", "unavailable": "waiting"}


class Watch:
    """Keeps the board up to date and tells the screen what changed."""

    def __init__(self, layout: ClusterLayout, board: Board, screen: Screen) -> None:
        self._layout, self._board, self._screen = layout, board, screen
        ports = zip(BROKERS, layout.broker_ports("HUB"), strict=True)
        self._parts = dict(ports) | {POSTGRES: layout.postgres_port}

    async def run(self) -> None:
        """Until cancelled."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                await asyncio.gather(*(self._look(http, row) for row in list(self._board.rows.values())))
                await asyncio.sleep(EVERY_S)

    async def _look(self, http: aiohttp.ClientSession, row: Row) -> None:
        if row.state == "down":
            return
        pid, holds = row.pid, list[str]()
        state: State = "running"
        if row.name in HUB_ROLES:
            state, holds = await self._process(http, row.name)
        elif row.name in self._parts:
            state = await _part(self._parts[row.name])
        for words in self._board.seen(row.name, pid, state, holds, time.monotonic()):
            self._screen.say(f"{time.strftime('%H:%M:%S')}  {words}")

    async def _process(self, http: aiohttp.ClientSession, name: str) -> tuple[State, list[str]]:
        url = f"http://{HOST}:{self._layout.hub_ports[name]}"
        try:
            async with http.get(f"{url}/readyz") as answer:
                state = STATES.get(orjson.loads(await answer.read()).get("status"), "waiting")
            async with http.get(f"{url}/metrics") as answer:
                return state, HELD.findall(await answer.text())
        except (TimeoutError, aiohttp.ClientError, OSError, orjson.JSONDecodeError):
            return "waiting", []


async def _part(port: int) -> State:
    """Whether it takes connections."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
    except (TimeoutError, OSError):
        return "waiting"
    return "running"
