"""The hub's command line under cProfile, each thread by its own processor time:
SIMPUL_BENCH_PROFILE=FOLDER python -m tests.bench.profiled serve writes FOLDER/<thread>.pstats at its end.
The event loop is watched from SIGUSR1 on, so that the start does not blur the figures."""

from __future__ import annotations

import asyncio
import cProfile
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from hub.cli import serve
from hub.cli.main import main


def profile_threads(folder: Path) -> None:
    """From here on every thread that ends leaves its figures in `folder`."""
    run = threading.Thread.run

    def profiled_run(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        try:
            profile.runcall(run, thread)
        finally:
            profile.dump_stats(folder / f"{thread.name}.pstats")

    threading.Thread.run = profiled_run  # type: ignore[method-assign, assignment]


def profiled_main() -> None:
    folder = Path(os.environ["SIMPUL_BENCH_PROFILE"])
    folder.mkdir(parents=True, exist_ok=True)
    profile_threads(folder)
    profile = cProfile.Profile(time.thread_time)
    serve_until = serve.serve_until

    async def watched(*arguments: Any, **options: Any) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, profile.enable)
        await serve_until(*arguments, **options)
        profile.disable()

    serve.serve_until = watched
    try:
        main()
    finally:
        profile.dump_stats(folder / "loop.pstats")


if __name__ == "__main__":
    profiled_main()
