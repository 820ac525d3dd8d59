"""What the terminal shows: a quiet live table for people, plain lines for everything else."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from deploy.demo.journeys import Journey, Journeys
from deploy.demo.layout import Layout

TITLE_LIMIT = 44
LABEL_WIDTH = 34
WAY_OUT = "Ctrl-C: berhenti"
FEWEST_ROWS = 3
FIRST_ANSWER_LINES = 3
"""Of a terminal of 80 columns: the sentence, and one line to spare."""


class Terminal(Console):
    """Goes on without its reader (`make run | head`)."""

    def on_broken_pipe(self) -> None:
        self.file = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (until the end)


class Screen:
    """Plain lines. `LiveScreen` draws instead."""

    def __init__(self, layout: Layout, journeys: Journeys, console: Console) -> None:
        self._layout, self._journeys, self.console = layout, journeys, console
        self._flowing_s = time.monotonic()
        self._scenes: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def say(self, text: str, *, by_words: bool = False) -> None:
        """A sentence about the run as a whole. `by_words`: a terminal breaks it between words; what one is
        told to open is never broken."""
        try:
            self.console.print(Text(text), soft_wrap=not (by_words and self.console.is_terminal))
        except OSError:  # the terminal went away before its signal came
            self.go_on_unseen()

    def go_on_unseen(self) -> None:
        """The terminal is gone: whatever is said from now on nobody hears; the run still ends in order."""
        self.console.file = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (until the end)

    def begin(self) -> None:
        """Which addresses and folder this run uses."""
        layout = self._layout
        self.say(f"Simpul demo: hub at {layout.hub_url}, listening on {layout.listen}")
        self.say_where()

    def say_where(self) -> None:
        first, last = self._layout.port, self._layout.port + self._layout.row_of_ports - 1
        self.say(f"ports {first} to {last}; all files in {near(self._layout.folder)}")

    def flowing(self) -> None:
        """Everything runs: says where to look. From here on the first answer's seconds are counted."""
        self._flowing_s = time.monotonic()
        self.say("complaints are flowing; Ctrl-C stops everything. Where to look:")
        for name, place in places(self._layout):
            one_line = f"  {name:<{LABEL_WIDTH}} {place}"
            fits = len(one_line) <= self.console.width
            self.say(one_line if fits else f"  {name}:\n{place}")

    def close(self) -> None:
        """Nothing is drawn any more after this, so that what is said next stands last."""

    def step(self, journey: Journey, words: str) -> None:
        if journey.home_s is not None:
            words = f"→ {journey.path(whole=True)} ({journey.home_s:.0f} s)"
        self.say(f"{time.strftime('%H:%M:%S')}  {journey.label:<21} {shorten(journey.title)}  {words}")

    def first_answer(self, journey: Journey) -> None:
        """Says once that the round trip is complete."""
        after_s = time.monotonic() - self._flowing_s
        self.scene(
            "jawaban pertama",
            f"Jawaban pertama kembali: ada di tabel tanggapan aplikasinya sendiri, pengaduan "
            f"#{journey.reference}, {after_s:.0f} detik sejak laporan mengalir.",
        )

    def scene(self, name: str, sentence: str) -> None:
        """Says once a run what is worth a sentence (scenes.py), and keeps it in a file."""
        if name in self._scenes:
            return
        self._scenes.add(name)
        self.say(f"*** {time.strftime('%H:%M:%S')}  {sentence}", by_words=True)
        with self._layout.scenes.open("a", encoding="utf-8") as kept:
            kept.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {sentence}\n")

    def totals(self) -> str:
        told = self._journeys
        besides = f"; answers to complaints of earlier runs: {told.earlier}"
        return (
            f"{told.filed} complaints, {told.answered} of them answered, {told.home} of the answers back "
            f"in the apps, {told.returned} returned by an agency{besides if told.earlier else ''}"
        )


@dataclass(frozen=True)
class PathCell:
    """A journey's path in whatever width its column has."""

    journey: Journey

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        style = "green" if self.journey.home_s is not None else ""
        yield Text(self.journey.path_within(options.max_width), style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


class LiveScreen(Screen):
    """A table of the latest complaints, redrawn twice a second, under all that was said."""

    _live: Live | None = None

    def flowing(self) -> None:
        super().flowing()
        self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2)
        self._live.start()

    def close(self) -> None:
        """The table stays as it last was, above what is said from now on."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def step(self, journey: Journey, words: str) -> None:
        """The next redraw shows it."""

    def _draw(self) -> RenderableType:
        """As many complaints as there is room for. All heights are measured, so that the last line is always
        there. In Bahasa Indonesia throughout, as the apps' own screens are."""
        above, foot = Group(*self._above(), Text()), Group(Text(), self._foot())
        room = self.console.size.height - self._height(self._table(0), foot)
        if room - self._height(above) < FEWEST_ROWS:
            above = Group()
        room -= self._height(above)
        rows = max(1, min(room, max(FEWEST_ROWS, room - self._lines_said())))
        return Group(above, self._table(rows), foot)

    def _above(self) -> list[RenderableType]:
        """What stands over the complaints; left out where a terminal is too low for both."""
        return []

    def _lines_said(self) -> int:
        """Of what was said, lines that should stay in sight: `flowing` and the first answer."""
        return 1 + len(places(self._layout)) + FIRST_ANSWER_LINES

    def _height(self, *parts: RenderableType) -> int:
        return len(self.console.render_lines(Group(*parts), pad=False))

    def _foot(self) -> RenderableType:
        told = self._journeys
        figures = (
            f"{told.filed} laporan, {told.answered} dijawab, {told.home} kembali, "
            f"{told.returned} salah alamat"
        )
        if told.earlier:
            figures += f"; {told.earlier} jawaban laporan lama"
        one_line = f"{figures}   ·   {WAY_OUT}"
        fits = len(one_line) <= self.console.width
        return Text(one_line if fits else f"{figures}\n{WAY_OUT}", style="dim")

    def _table(self, rows: int) -> Table:
        table = plain_table()
        table.add_column("laporan", no_wrap=True, min_width=18)
        table.add_column("judul", no_wrap=True, overflow="ellipsis", ratio=2)
        table.add_column("perjalanan", no_wrap=True, ratio=5)
        table.add_column("detik", justify="right", width=5)
        for journey in list(self._journeys.by_case.values())[-rows:] if rows else []:
            seconds = "" if journey.home_s is None else f"{journey.home_s:.0f}"
            title = Text(shorten(journey.title))
            table.add_row(Text(journey.label), title, PathCell(journey), seconds)
        return table


def plain_table() -> Table:
    """Across the whole terminal, with no line spent on edges."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        expand=True,
        header_style="dim",
        pad_edge=False,
        collapse_padding=True,
    )


def open_screen(layout: Layout, journeys: Journeys, console: Console) -> Screen:
    kind = LiveScreen if console.is_terminal and not console.is_dumb_terminal else Screen
    return kind(layout, journeys, console)


def places(layout: Layout) -> list[tuple[str, str]]:
    """What one can open while it runs."""
    return [
        ("hub", layout.hub_url),
        ("its documentation", f"{layout.hub_url}/docs"),
        ("client ids and secrets", near(layout.secrets)),
        ("tables pengaduan, tanggapan", near(layout.kotim_database)),
        *(("tables surat_masuk, surat_balasan", near(layout.office_database(a.id))) for a in layout.offices),
        ("connectors' configurations", near(layout.config("x").parent)),
        ("logs", near(layout.logs)),
        ("the lines after ***", near(layout.scenes)),
    ]


def near(path: Path) -> str:
    """As one would type it in the folder where `make run` was called."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= TITLE_LIMIT else flat[: TITLE_LIMIT - 1].rstrip() + "…"
