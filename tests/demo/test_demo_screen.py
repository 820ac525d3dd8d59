"""What the terminal says before, while and after complaints travel, on a screen of 80 by 24."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.__main__ import main
from deploy.demo.journeys import Journey, Journeys
from deploy.demo.layout import Layout
from deploy.demo.screen import LiveScreen, Screen, places
from tests.demo.running import ROOT


def screen_of(folder: Path, kind: type[Screen]) -> tuple[Screen, io.StringIO]:
    told = io.StringIO()
    console = Console(file=told, width=80, height=24, force_terminal=kind is LiveScreen, color_system=None)
    return kind(Layout(folder, 8090), Journeys(), console), told


@pytest.mark.parametrize("kind", [Screen, LiveScreen])
@pytest.mark.parametrize("depth", [1, 8])
def test_nothing_that_one_is_told_to_open_is_cut(kind: type[Screen], depth: int) -> None:
    folder = Path("/srv/" + "aduan-masyarakat/" * depth)
    screen, told = screen_of(folder, kind)
    with screen:
        screen.flowing()
    assert "http://127.0.0.1:8090/docs" in told.getvalue()
    named = [place for _, place in places(Layout(folder, 8090))]
    assert len(named) > 1
    for place in named:
        assert any(line.rstrip().endswith(place) for line in told.getvalue().splitlines()), place


def test_the_first_lines_name_address_and_ports(tmp_path: Path) -> None:
    screen, told = screen_of(tmp_path, Screen)
    screen.begin()
    assert "http://127.0.0.1:8090" in told.getvalue()
    assert "ports 8090 to 8093" in told.getvalue()


def test_the_first_answer_is_told_once(tmp_path: Path) -> None:
    """Like the others: in Bahasa Indonesia, with the time; and it says from where it counts."""
    screen, told = screen_of(tmp_path, Screen)
    with screen:
        screen.flowing()
        for number in "12":
            screen.first_answer(Journey("Lapor Kotim", number, "Jalan", 0.0))
    (line,) = (each for each in told.getvalue().splitlines() if each.startswith("***"))
    assert re.match(r"\*\*\* \d\d:\d\d:\d\d  Jawaban pertama kembali: ", line)
    assert re.search(r"pengaduan #1, \d+ detik sejak laporan mengalir\.$", line)


def test_what_is_worth_a_sentence_stands_in_a_file_too(tmp_path: Path) -> None:
    layout = Layout(tmp_path, 8090)
    for _ in range(2):  # two runs
        screen, _told = screen_of(tmp_path, LiveScreen)
        with screen:
            screen.scene("naik", "Naik satu tingkat: sebuah laporan.")
            screen.scene("naik", "Naik satu tingkat: sebuah laporan.")
    lines = layout.scenes.read_text("utf-8").splitlines()
    assert len(lines) == 2 and all(line.endswith("  Naik satu tingkat: sebuah laporan.") for line in lines)
    assert any(str(layout.scenes).endswith(place) for _, place in places(layout))


def test_a_scene_is_told_once_and_breaks_between_words(tmp_path: Path) -> None:
    screen, told = screen_of(tmp_path, LiveScreen)
    words = (
        "Naik satu tingkat: Suara Banua #SB-00002 berpindah dari Kalsel ke pengelola hub, yang mengawalnya."
    )
    with screen:
        for _ in range(2):
            screen.scene("naik", words)
    lines = [line.rstrip() for line in told.getvalue().splitlines()]
    assert " ".join(lines).count(words) == 1
    assert max(map(len, lines)) <= 80


def test_a_case_that_goes_up_and_one_that_is_opened_again_are_told_in_their_order() -> None:
    journey = Journey("Lapor Kotim", "7", "Parit", 0.0, legs={"leg": ("Kemen PU", ["diterima"], False)})
    journeys = Journeys()
    journeys.by_case["case"] = journey
    about = {"case_id": "case", "owner": "hub", "status": "in_progress"}
    for kind, data in [
        ("deadline.missed", {"responsible_agency": "kemen-pu", "forwarding_id": "leg"}),
        ("complaint.escalated", {"to": "hub"}),
        ("complaint.reopened", {}),
    ]:
        event = {"type": f"id.simpul.{kind}.v1", "subject": "case", "data": about | data}
        assert journeys.take(event, 1.0)
    told = "hub → Kemen PU: diterima, tenggat terlewat, naik ke pengelola hub, belum tuntas"
    assert journey.path(whole=True) == told
    assert journey.handlers == ["Kemen PU"]


def test_what_is_said_after_the_end_stands_below_the_table(tmp_path: Path) -> None:
    screen, told = screen_of(tmp_path, LiveScreen)
    with screen:
        screen.flowing()
        screen.close()
        screen.say("stopped; nothing is left running.")
    assert told.getvalue().rstrip().endswith("stopped; nothing is left running.")
    assert "perjalanan" in told.getvalue()


@pytest.mark.parametrize("port", ["abc", "80000", "65533", "0", "-5", "8080.5", "9" * 5000])
def test_what_is_no_port_is_refused_in_a_sentence(
    port: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--dir", str(tmp_path / "demo"), f"--port={port}"]
    monkeypatch.setattr(sys, "argv", ["deploy.demo", *arguments])
    status = main()
    refused(status, capsys.readouterr().err, tmp_path)


def test_the_program_ends_with_that_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.demo", "--dir", str(tmp_path / "demo"), "--port=abc"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    refused(ended.returncode, ended.stderr, tmp_path)


def refused(status: int, said: str, folder: Path) -> None:
    assert status == 2
    assert said.startswith("make run: There is no port ")
    assert re.search(r" Choose another: make run PORT=\d+\n$", said)
    assert not (folder / "demo").exists()
