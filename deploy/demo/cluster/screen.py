"""The terminal of a cluster: the demo's complaints, and above them who runs and who holds what."""

from __future__ import annotations

from itertools import zip_longest

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.demo.cluster.board import Board, Row
from deploy.demo.cluster.layout import BROKERS, HUB_ROLES, POSTGRES, ClusterLayout
from deploy.demo.journeys import Journeys
from deploy.demo.screen import LiveScreen, Screen, plain_table

WORDS = {
    "starting": "mulai",
    "running": "jalan",
    "degraded": "terbatas",
    "waiting": "menunggu",
    "down": "mati",
}
STYLES = {"starting": "yellow", "degraded": "yellow", "waiting": "yellow", "down": "red"}
LEFT = (POSTGRES, *BROKERS, *HUB_ROLES)
"""The left half of the table; whatever else runs stands in the right one."""
LINES_SAID = 2
"""Of what is said above the tables: a scene, or what fell and came back."""


class ClusterScreen(Screen):
    """Plain lines."""

    def __init__(self, layout: ClusterLayout, journeys: Journeys, console: Console, board: Board) -> None:
        super().__init__(layout, journeys, console)
        self._cluster, self._board = layout, board

    def begin(self) -> None:
        hubs = " and ".join(self._cluster.hub_urls)
        self.say(f"Simpul cluster: PostgreSQL, three Kafka brokers, the hub at {hubs}")
        self.say_where()

    def flowing(self) -> None:
        self._list_processes()
        super().flowing()
        self.say("Try it: `kill -9 PID` of any one process. It is started again after a few seconds, and")
        self.say("complaints go on meanwhile.")

    def _list_processes(self) -> None:
        for row in self._board.rows.values():
            self.say(f"  {row.name:<18} pid {row.pid}")


class LiveClusterScreen(ClusterScreen, LiveScreen):
    """Tables, redrawn twice a second."""

    def _list_processes(self) -> None:
        """The table shows them."""

    def _above(self) -> list[RenderableType]:
        return [processes_table(self._board)]

    def _lines_said(self) -> int:
        return LINES_SAID


def open_cluster_screen(
    layout: ClusterLayout, journeys: Journeys, console: Console, board: Board, plain: bool
) -> ClusterScreen:
    live = console.is_terminal and not console.is_dumb_terminal and not plain
    kind = LiveClusterScreen if live else ClusterScreen
    return kind(layout, journeys, console, board)


def processes_table(board: Board) -> Table:
    """The hub and its parts on the left, apps and ministries on the right; 80 columns are enough."""
    table = plain_table()
    for name in ("proses", "pid", "keadaan", "memegang", "proses", "pid", "keadaan"):
        table.add_column(name, no_wrap=True, justify="right" if name == "pid" else "left")
    left = [row for row in board.rows.values() if row.name in LEFT]
    right = [row for row in board.rows.values() if row.name not in LEFT]
    for one, other in zip_longest(left, right):
        held = Text(", ".join(one.holds) if one else "", "green")
        table.add_row(*_cells(one), held, *_cells(other))
    return table


def _cells(row: Row | None) -> list[Text]:
    if row is None:
        return [Text()] * 3
    style = STYLES.get(row.state, "")
    return [Text(row.name, style), Text(str(row.pid), style), Text(WORDS[row.state], style)]
