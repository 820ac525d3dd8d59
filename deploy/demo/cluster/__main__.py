"""`python -m deploy.demo.cluster`: what `make run-cluster` starts."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from deploy.demo.cluster import brokers, postgres
from deploy.demo.cluster.board import Board
from deploy.demo.cluster.layout import ClusterLayout
from deploy.demo.cluster.screen import open_cluster_screen
from deploy.demo.cluster.supervisor import ClusterSupervisor
from deploy.demo.journeys import Journeys
from deploy.demo.layout import HOST
from deploy.demo.ports import CannotStart, WrongPort, port_of
from deploy.demo.screen import Terminal

PORT = 8080
PURPOSE = "PostgreSQL, three Kafka brokers, the hub as six processes, and complaints travelling through them."


def main() -> int:
    arguments = parse(sys.argv[1:])
    try:
        layout = layout_of(arguments)
        if missing := [*postgres.missing(), *brokers.missing()]:
            raise CannotStart("\n".join(missing))
        journeys, board = Journeys(), Board()
        console = Terminal(highlight=False)
        with open_cluster_screen(layout, journeys, console, board, arguments.plain) as screen:
            run = ClusterSupervisor(layout, arguments.minutes, screen, journeys, board).run()
            return asyncio.run(run)
    except CannotStart as reason:
        print(f"make run-cluster: {reason}", file=sys.stderr)
        return 2 if isinstance(reason, WrongPort) else 1


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.cluster", description=PURPOSE)
    row = ClusterLayout.row_of_ports
    parser.add_argument("--port", help=f"the first of {row} ports in a row ({PORT})")
    parser.add_argument("--dir", type=Path, help="where everything is kept (default ./var/cluster)")
    parser.add_argument("--minutes", type=float, help="stop by itself after so long")
    parser.add_argument("--fast", action="store_true", help="several complaints a second, for tests")
    parser.add_argument("--plain", action="store_true", help="lines instead of tables")
    return parser.parse_args(argv)


def layout_of(arguments: argparse.Namespace) -> ClusterLayout:
    """Arguments first, then SIMPUL_DEMO_DIR and SIMPUL_DEMO_PORT; raises CannotStart."""
    folder = arguments.dir or Path(os.environ.get("SIMPUL_DEMO_DIR", "var/cluster"))
    port = arguments.port or os.environ.get("SIMPUL_DEMO_PORT") or PORT
    return ClusterLayout(folder.absolute(), port_of(str(port), ClusterLayout), HOST, arguments.fast)


if __name__ == "__main__":
    sys.exit(main())
