"""What the terminal shows: a quiet live table for people, plain lines for everything else."""

from __future__ import annotations

import time
from types import TracebackType

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.demo.journeys import Journey, Journeys
from deploy.demo.layout import Layout

TITLE_LIMIT = 44


class Screen:
    """Plain lines. `LiveScreen` draws instead."""

    def __init__(self, layout: Layout, journeys: Journeys, console: Console) -> None:
        self._layout, self._journeys, self.console = layout, journeys, console
        self._began_s = time.monotonic()
        self._first = ""

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""

    def say(self, text: str) -> None:
        """A sentence about the run as a whole."""
        self.console.print(Text(text), soft_wrap=True)

    def show_places(self) -> None:
        for name, place in places(self._layout):
            self.say(f"  {name:<12} {place}")

    def step(self, journey: Journey, words: str) -> None:
        if journey.home_s is not None:
            words = f"→ {journey.path(whole=True)} ({journey.home_s:.0f} s)"
        self.say(f"{time.strftime('%H:%M:%S')}  {journey.label:<21} {shorten(journey.title)}  {words}")

    def first_answer(self, journey: Journey) -> None:
        """Says once that the round trip is complete."""
        if self._first:
            return
        after_s = time.monotonic() - self._began_s
        self._first = (
            f"The first answer is back in the app's own table: tanggapan, pengaduan #{journey.reference}, "
            f"{after_s:.0f} s after the start."
        )
        self.say(f"*** {self._first}")

    def totals(self) -> str:
        told = self._journeys
        return (
            f"{told.filed} laporan, {told.answered} dijawab, {told.returned} dikembalikan, "
            f"{told.home} jawaban kembali di aplikasi"
        )


class LiveScreen(Screen):
    """A table of the latest complaints, redrawn twice a second, under the places to look at."""

    def __enter__(self) -> Screen:
        self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.refresh()
        self._live.stop()

    def show_places(self) -> None:
        """They stand in the drawing."""

    def step(self, journey: Journey, words: str) -> None:
        """The next redraw shows it."""

    def _draw(self) -> Group:
        where = Table.grid(padding=(0, 2))
        for name, place in places(self._layout):
            where.add_row(Text(name, style="dim"), Text(place, overflow="ellipsis", no_wrap=True))
        rows = max(3, self.console.size.height - 15)
        foot = Text(f"{self.totals()}   ·   Ctrl-C stops everything", style="dim")
        parts: list[RenderableType] = [where, self._table(rows), foot]
        if self._first:
            parts.insert(1, Text(f"★ {self._first}", style="bold green"))
        return Group(*parts)

    def _table(self, rows: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, expand=True, header_style="dim", pad_edge=False)
        table.add_column("laporan", no_wrap=True, min_width=18)
        table.add_column("judul", no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column("perjalanan", no_wrap=True, overflow="ellipsis", ratio=3)
        table.add_column("detik", justify="right", width=5)
        for journey in list(self._journeys.by_case.values())[-rows:]:
            seconds = "" if journey.home_s is None else f"{journey.home_s:.0f}"
            style = "green" if journey.home_s is not None else ""
            title, path = Text(shorten(journey.title)), Text(journey.path(), style)
            table.add_row(Text(journey.label), title, path, seconds)
        return table


def open_screen(layout: Layout, journeys: Journeys, console: Console) -> Screen:
    kind = LiveScreen if console.is_terminal and not console.is_dumb_terminal else Screen
    return kind(layout, journeys, console)


def places(layout: Layout) -> list[tuple[str, str]]:
    """Where to look while it runs."""
    return [
        ("hub", f"{layout.hub_url}   documentation: {layout.hub_url}/docs"),
        ("sign-ins", f"client ids and secrets of every system: {layout.secrets}"),
        ("Lapor Kotim", f"tables pengaduan and tanggapan in {layout.kotim_database}"),
        ("ministries", f"tables surat_masuk and surat_balasan in {layout.folder}/kemen-*/surat.db"),
        ("connectors", f"{layout.config('lapor-kotim').parent}/*.toml"),
        ("logs", f"{layout.logs}/*.log"),
    ]


def shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= TITLE_LIMIT else flat[: TITLE_LIMIT - 1].rstrip() + "…"
