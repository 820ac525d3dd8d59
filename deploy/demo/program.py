"""What the demo's own little programs share: settings from the environment, a clean stop, texts, SQLite."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Coroutine, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from deploy.demo.cluster.layout import ClusterLayout
from deploy.demo.layout import Layout

TEXTS = Path(__file__).with_name("texts")


def layout() -> Layout:
    """The run that started this program."""
    folder, host = Path(os.environ["SIMPUL_DEMO_DIR"]), os.environ["SIMPUL_DEMO_HOST"]
    fast = os.environ["SIMPUL_DEMO_FAST"] == "1"
    kind = ClusterLayout if os.environ["SIMPUL_DEMO_CLUSTER"] == "1" else Layout
    return kind(folder, int(os.environ["SIMPUL_DEMO_PORT"]), host, fast)


def client() -> tuple[str, str]:
    """This program's OAuth client."""
    return os.environ["SIMPUL_CLIENT_ID"], os.environ["SIMPUL_CLIENT_SECRET"]


def run(*work: Coroutine[Any, Any, None]) -> None:
    """Runs everything until SIGTERM, or until one of them fails."""
    asyncio.run(_run(work))


async def _run(work: tuple[Coroutine[Any, Any, None], ...]) -> None:
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(item) for item in work]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    waiting: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()


@cache
def texts(name: str) -> Any:
    return json.loads((TEXTS / f"{name}.json").read_text("utf-8"))


def fill(text: str, number: int) -> str:
    """A text of the catalogue with its blanks filled, the same for the same number."""
    return text.replace("{rt}", f"{number * 7 % 24 + 1:02d}").replace("{hari}", str(number % 4 + 2))


class Position:
    """How far a mailbox was read, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        return int(self._path.read_text("ascii")) if self._path.exists() else 0

    def keep(self, position: int) -> None:
        aside = self._path.with_suffix(".new")
        aside.write_text(str(position), "ascii")
        aside.replace(self._path)


def open_database(path: Path, schema: str, added: Sequence[tuple[str, str, str]] = ()) -> sqlite3.Connection:
    """The program's own database; several programs write into it, so it waits for locks. `added`: (table,
    column, definition) of what an older demo's folder lacks."""
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + schema)
    for table, column, definition in added:
        if column not in {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}:
            with contextlib.suppress(sqlite3.OperationalError):  # another program has just added it
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
    return connection
