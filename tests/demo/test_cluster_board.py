"""What the cluster's terminal says of processes that end and come back; no process is started."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.cluster.board import Board
from deploy.demo.cluster.cast import groups
from deploy.demo.cluster.layout import BROKERS, HUB_ROLES, POSTGRES, ClusterLayout
from deploy.demo.cluster.screen import ClusterScreen, LiveClusterScreen, open_cluster_screen
from deploy.demo.journeys import Journeys

AGENCIES = ("lapor-kotim", "connector-kotim", "coordinator-kotim", "kemen-lh", "connector-lh")


def board() -> Board:
    made = Board()
    for pid, name in enumerate([POSTGRES, *BROKERS, *HUB_ROLES, *AGENCIES], 41000):
        made.started(name, pid, 0.0)
        made.seen(name, pid, "running", ["relay"] if name == "relay" else [], 1.0)
    return made


def test_an_end_is_told_and_the_return_with_its_lease() -> None:
    made, pid = board(), 41006
    assert made.fell("relay", "was ended by SIGKILL", 100.0).endswith("it is started again in 1 s")
    assert made.due(100.9) == []
    assert made.due(101.0) == ["relay"]
    made.started("relay", 50000, 103.0)
    assert made.seen("relay", pid, "running", ["relay"], 103.5) == [], "a look at the process before"
    assert made.seen("relay", 50000, "waiting", [], 104.0) == []
    told = made.seen("relay", 50000, "running", ["relay"], 109.0)
    assert told == [
        "relay (pid 50000) works again, 9 s after its end",
        "the lease `relay` is held by relay (pid 50000)",
    ]
    assert made.seen("relay", 50000, "running", ["relay"], 110.0) == []


def test_one_that_never_lives_long_waits_longer_each_time_up_to_a_bound() -> None:
    made, now, pauses = board(), 100.0, []
    for _ in range(5):
        made.fell("clock", "exited with 1", now)
        pauses.append(made.rows["clock"].pause_s)
        made.started("clock", 1, now + pauses[-1])
        now += pauses[-1] + 1.0
    assert pauses == [1.0, 2.0, 4.0, 8.0, 12.0]


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_fit_the_terminal(width: int, tmp_path: Path) -> None:
    told = io.StringIO()
    console = Console(file=told, width=width, height=24, force_terminal=True, color_system=None)
    layout, made = ClusterLayout(tmp_path, 8080), board()
    with open_cluster_screen(layout, Journeys(), console, made, plain=False) as screen:
        assert isinstance(screen, LiveClusterScreen)
        screen.flowing()
    for row in made.rows.values():
        assert row.name in told.getvalue()
        assert str(row.pid) in told.getvalue()
    assert len(console.render_lines(screen._draw())) <= 24


def test_a_terminal_that_went_away_does_not_stop_the_end(tmp_path: Path) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    screen = ClusterScreen(ClusterLayout(tmp_path, 8080), Journeys(), Console(file=Gone()), Board())
    screen.say("stopping everything")
    screen.say("stopped")


def test_whoever_uses_something_ends_before_it_and_in_time() -> None:
    order = groups([POSTGRES, *BROKERS, *HUB_ROLES, *AGENCIES])
    assert [name for names, _ in order for name in names] == [*AGENCIES, *HUB_ROLES, *BROKERS, POSTGRES]
    assert sum(within_s for _, within_s in order) < 20


def test_every_port_is_used_once_and_none_beyond_the_row(tmp_path: Path) -> None:
    layout = ClusterLayout(tmp_path, 8080)
    assert sorted(layout.ports) == list(range(8080, 8080 + layout.row_of_ports))
