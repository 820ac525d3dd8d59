"""Runs a connector of any kind until it is told to stop: opens it, runs loops and servers, stops in time."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from connectors.config import Common
from connectors.connector import Connector
from connectors.environment import require_variables
from connectors.hub_client import credentials
from connectors.kinds import KINDS
from connectors.spool import open_spool

log = structlog.get_logger("simpul-connector")
STOP_S = 3.0


def run(config: Common) -> None:
    """Returns after SIGTERM or SIGINT; raises ConfigRefused or SpoolInUse before anything was sent.
    Without credentials nothing is made either."""
    require_variables(config)
    credentials(config.hub)
    spool = open_spool(Path(config.spool))
    try:
        connector = KINDS[config.kind].build(config, spool)
    except BaseException:
        spool.close()
        raise
    asyncio.run(_run(connector))


async def _run(connector: Connector) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    log.info("connector started", kind=connector.config.kind, agency=connector.config.agency)
    async with AsyncExitStack() as sessions:
        for session in connector.sessions:
            await sessions.enter_async_context(session)
        tasks = [asyncio.create_task(item.run(), name=item.name) for item in connector.loops]
        tasks += [asyncio.create_task(server(stop), name="server") for server in connector.servers]
        waiting = asyncio.create_task(stop.wait(), name="stop")
        done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
        failed = next((task.exception() for task in done if task is not waiting), None)
        stop.set()
        stuck = await _cancel(tasks)
    connector.close()
    if failed is not None:
        raise failed
    log.info("connector stopped")
    if stuck or threads_hang():
        os._exit(0)  # a statement hangs in a driver; everything that matters is in the spool


async def _cancel(tasks: list[asyncio.Task[None]]) -> bool:
    """Ends all tasks; True when one did not end in time."""
    for task in tasks:
        if task.get_name() != "server":
            task.cancel()
    _, late = await asyncio.wait(tasks, timeout=STOP_S)
    return bool(late)


def threads_hang() -> bool:
    """Whether a database thread is still inside its driver: the interpreter would wait for it at exit."""
    return any(thread.name.startswith("database") and thread.is_alive() for thread in threading.enumerate())
