"""`python -m deploy.demo`: what `make run` starts."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from deploy.demo.journeys import Journeys
from deploy.demo.layout import HOST, Layout
from deploy.demo.ports import CannotStart, WrongPort, port_of
from deploy.demo.screen import Terminal, open_screen
from deploy.demo.supervisor import Supervisor

PORT = 8080
PURPOSE = "One hub, two local apps, two ministries, and complaints travelling between them."


def main() -> int:
    arguments = parse(sys.argv[1:])
    console = Terminal(highlight=False)
    try:
        layout = layout_of(arguments)
        journeys = Journeys()
        with open_screen(layout, journeys, console) as screen:
            return asyncio.run(Supervisor(layout, arguments.minutes, screen, journeys).run())
    except CannotStart as reason:
        print(f"make run: {reason}", file=sys.stderr)
        return 2 if isinstance(reason, WrongPort) else 1


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=PURPOSE)
    parser.add_argument("--port", help=f"the hub's port; the next three are used too ({PORT})")
    parser.add_argument("--dir", type=Path, help="where everything is kept (default ./var/demo)")
    parser.add_argument("--minutes", type=float, help="stop by itself after so long")
    parser.add_argument("--fast", action="store_true", help="several complaints a second, for tests")
    return parser.parse_args(argv)


def layout_of(arguments: argparse.Namespace) -> Layout:
    """Arguments first, then SIMPUL_DEMO_DIR, SIMPUL_DEMO_PORT and SIMPUL_LISTEN; raises CannotStart."""
    host, _, listen_port = os.environ.get("SIMPUL_LISTEN", "").rpartition(":")
    folder = arguments.dir or Path(os.environ.get("SIMPUL_DEMO_DIR") or "var/demo")
    port = arguments.port or os.environ.get("SIMPUL_DEMO_PORT") or listen_port or PORT
    return Layout(folder.absolute(), port_of(str(port)), host.strip("[]") or HOST, arguments.fast)


if __name__ == "__main__":
    sys.exit(main())
