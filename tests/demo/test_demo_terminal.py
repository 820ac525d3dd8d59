"""The live tables at the size of a terminal: the last lines are there, the figures add up, the path's end is
legible."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.demo.cluster.board import Board
from deploy.demo.cluster.layout import BROKERS, HUB_ROLES, POSTGRES, ClusterLayout
from deploy.demo.cluster.screen import open_cluster_screen
from deploy.demo.journeys import Journey, Journeys
from deploy.demo.layout import KALSEL, KOTIM, Layout
from deploy.demo.screen import LiveScreen, Screen

SIZES = [(width, height) for width in (80, 110) for height in (24, 30, 45)]
PROGRAMS = (
    "lapor-kotim",
    "connector-kotim",
    "coordinator-kotim",
    "kemen-pu",
    "connector-pu",
    "kemen-sosial",
    "connector-sosial",
    "desks",
    "suara-banua",
    "kemen-lh",
    "connector-lh",
)
FOOT = "laporan, 0 dijawab, 0 kembali, 0 salah alamat"
END = "Ctrl-C: berhenti"


def board(programs: tuple[str, ...] = PROGRAMS) -> Board:
    made = Board()
    for pid, name in enumerate([POSTGRES, *BROKERS, *HUB_ROLES, *programs], 41000):
        made.started(name, pid, 0.0)
        made.seen(name, pid, "running", [], 1.0)
    return made


def event(kind: str, case_id: str, **data: Any) -> dict[str, Any]:
    told = {"case_id": case_id, "owner": KOTIM.id, "status": "submitted"} | data
    return {"type": f"id.simpul.{kind}.v1", "subject": case_id, "data": told}


def submitted(number: int, agency: str = KOTIM.id) -> dict[str, Any]:
    source = {"agency": agency, "reference": str(number)}
    complaint = {"source": source, "title": f"Jalan berlubang di depan pasar {number}"}
    return event("complaint.submitted", f"case-{number}", complaint=complaint)


def many(count: int = 60) -> Journeys:
    journeys = Journeys()
    for number in range(count):
        journeys.take(submitted(number), 0.0)
    return journeys


def console_of(width: int, height: int) -> tuple[Console, io.StringIO]:
    told = io.StringIO()
    return Console(file=told, width=width, height=height, force_terminal=True, color_system=None), told


def frame(screen: Screen, told: io.StringIO) -> list[str]:
    """The lines that the terminal shows after the next redraw."""
    assert isinstance(screen, LiveScreen) and screen._live is not None
    told.truncate(0)
    told.seek(0)
    screen._live.refresh()
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", told.getvalue()).split("\n")]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("more", [(), ("one-more", "and-another", "and-a-third")], ids=["today", "more"])
def test_a_cluster_shows_processes_complaints_and_the_last_line(
    width: int, height: int, more: tuple[str, ...], tmp_path: Path
) -> None:
    console, told = console_of(width, height)
    made = board((*PROGRAMS, *more))
    layout = ClusterLayout(tmp_path, 8080)
    with open_cluster_screen(layout, many(), console, made, plain=False) as screen:
        screen.flowing()
        lines = frame(screen, told)
    assert len(lines) <= height
    assert lines[-1].endswith(END) and FOOT in lines[-1], lines
    assert not [name for name in made.rows if not any(name in line for line in lines)]
    shown = [line for line in lines if "Lapor Kotim #" in line]
    assert len(shown) >= 3 and "Lapor Kotim #59" in shown[-1]
    assert height - len(lines) <= 3, "the table uses the terminal, but for what is said above it"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_demo_shows_complaints_and_the_last_line(width: int, height: int, tmp_path: Path) -> None:
    console, told = console_of(width, height)
    screen = LiveScreen(Layout(tmp_path, 8080), many(), console)
    with screen:
        screen.flowing()
        lines = frame(screen, told)
    assert len(lines) < height
    assert lines[-1].endswith(END) and FOOT in lines[-1]
    assert "Lapor Kotim #59" in [line for line in lines if "Lapor Kotim #" in line][-1]


def test_a_terminal_too_low_for_the_processes_keeps_the_complaints(tmp_path: Path) -> None:
    console, told = console_of(80, 14)
    with open_cluster_screen(ClusterLayout(tmp_path, 8080), many(), console, board(), plain=False) as screen:
        screen.flowing()
        lines = frame(screen, told)
    assert len(lines) <= 14
    assert lines[-1].endswith(END)


def test_figures_that_are_long_leave_room_for_the_way_out(tmp_path: Path) -> None:
    journeys = many(1200)
    for number in range(9000, 9950):
        journeys.arrive("Lapor Kotim", str(number), "kembali di tabel tanggapan", 1.0)
    console, told = console_of(80, 24)
    with open_cluster_screen(ClusterLayout(tmp_path, 8080), journeys, console, board(), False) as screen:
        screen.flowing()
        lines = frame(screen, told)
    assert len(lines) <= 24
    assert lines[-2].endswith("950 jawaban laporan lama")
    assert lines[-1] == END


def answered(journeys: Journeys, number: int) -> None:
    taken = event("complaint.answered", f"case-{number}", answer={"agency": "kemen-pu"})
    journeys.take(taken, 2.0)


def arrive(journeys: Journeys, number: int, app: str = "Lapor Kotim") -> None:
    journeys.arrive(app, str(number), "kembali di tabel tanggapan", 3.0)


def figures(journeys: Journeys) -> tuple[int, int, int, int]:
    assert journeys.home <= journeys.answered <= journeys.filed
    return journeys.filed, journeys.answered, journeys.home, journeys.earlier


def test_several_answers_to_one_complaint_are_one_that_came_back() -> None:
    journeys = many(3)
    for _ in range(2):  # answered, reopened, answered again
        answered(journeys, 1)
        arrive(journeys, 1)
        journeys.take(event("complaint.reopened", "case-1"), 4.0)
    assert figures(journeys) == (3, 1, 1, 0)


def test_an_answer_to_a_complaint_of_an_earlier_run_is_counted_apart() -> None:
    journeys = many(1)
    source = {"agency": KOTIM.id, "reference": "77"}
    journeys.begin("old", {"source": source, "title": "Parit"}, 0.0)
    journeys.take(event("complaint.answered", "old", answer={"agency": "kemen-pu"}), 1.0)
    arrive(journeys, 77)
    arrive(journeys, 78)  # of which this run has seen nothing else
    assert figures(journeys) == (1, 0, 0, 2)
    _, told = console_of(80, 24)
    totals = Screen(Layout(Path("/nowhere"), 8080), journeys, Console(file=told)).totals()
    assert totals.endswith("; answers to complaints of earlier runs: 2")


def test_what_a_government_settles_itself_is_answered_too() -> None:
    journeys = many(2)
    arrive(journeys, 0)  # its officer writes into the app before the case is closed
    assert figures(journeys) == (2, 1, 1, 0)
    journeys.take(event("complaint.closed", "case-0", text="Lampu sudah diganti."), 4.0)
    journeys.take(event("complaint.closed", "case-1", text="Lampu sudah diganti."), 4.0)
    assert figures(journeys) == (2, 2, 1, 0)


def test_an_event_that_comes_again_counts_once_and_apps_do_not_mix() -> None:
    journeys = many(2)
    journeys.take(submitted(1), 5.0)
    journeys.take(event("complaint.submitted", "banua", complaint={
        "source": {"agency": KALSEL.id, "reference": "0"}, "title": "Air"}), 5.0)  # fmt: skip
    arrive(journeys, 0, "Suara Banua")
    for _ in range(2):
        leg = {"id": "leg", "to": "kemen-pu", "role": "lead"}
        journeys.take(event("forwarding.returned", "case-1", forwarding=leg), 5.0)
    assert figures(journeys) == (3, 1, 1, 0)
    assert journeys.returned == 1


def test_an_answer_that_is_seen_before_its_complaint_is_of_this_run() -> None:
    """The hub was away for the terminal alone; the app's table is read all the time."""
    journeys = Journeys()
    arrive(journeys, 5)
    journeys.take(submitted(5), 6.0)
    assert figures(journeys) == (1, 1, 1, 0)


BACK = "kembali di tabel tanggapan"
PATHS = [
    ({"a": ("Kemen PU", ["dijawab"], False)}, [BACK], "hub → Kemen PU: dijawab → kembali"),
    ({"a": ("Kemen PU", ["dikembalikan"], False), "b": ("Kemensos", ["dijawab"], False)}, [BACK],
     "… → Kemensos: dijawab → kembali"),
    ({"a": ("Kemen PU", ["dijawab"], False), "b": ("Kab. HST", ["dijawab"], True),
      "c": ("Kab. HSS", ["dijawab"], True)}, [BACK], "Kemen PU: dijawab + … → kembali"),
    ({"a": ("Kemen PU", ["dijawab"], False)}, [BACK, "ditutup"], "Kemen PU: dijawab → … → ditutup"),
    ({"a": ("Kemen PU", ["naik ke pengelola hub"], False)}, [], "Kemen PU: naik ke pengelola hub"),
]  # fmt: skip


@pytest.mark.parametrize(("legs", "steps", "expected"), PATHS)
def test_a_path_that_is_too_long_keeps_its_end(legs: Any, steps: list[str], expected: str) -> None:
    journey = Journey("Lapor Kotim", "7", "Parit", 0.0, steps=steps, legs=legs)
    assert journey.path_within(34) == expected
    assert journey.path_within(200) == journey.path()
    assert all(len(journey.path_within(width)) <= width for width in range(1, 120))


@pytest.mark.parametrize("width", [80, 110])
def test_title_and_path_can_be_read(width: int, tmp_path: Path) -> None:
    journeys = many(1)
    leg = {"id": "leg", "to": "kemen-pu", "role": "lead"}
    journeys.take(event("forwarding.answered", "case-0", forwarding=leg), 1.0)
    arrive(journeys, 0)
    journeys.take(event("complaint.submitted", "banua", complaint={
        "source": {"agency": KALSEL.id, "reference": "SB-00001"}, "title": "Air"}), 5.0)  # fmt: skip
    console, told = console_of(width, 24)
    screen = LiveScreen(Layout(tmp_path, 8080), journeys, console)
    with screen:
        screen.flowing()
        lines = frame(screen, told)
    (line,) = (line for line in lines if "Lapor Kotim #0" in line)
    assert "Kemen PU: dijawab → kembali" in line
    assert "Jalan berlub" in line
    assert any("Suara Banua #SB-00001" in other for other in lines)
