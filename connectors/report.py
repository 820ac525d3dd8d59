"""The lines that `check` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from connectors.words import many


class Report:
    """Sections of findings. `problems` counts what stands in the way of running."""

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print = print_line
        self.problems = 0
        self.held = 0
        self._held_by = ""
        self._said: set[str] = set()

    def section(self, title: str) -> None:
        self._print(f"\n{title}")

    def ok(self, text: str) -> None:
        self._print(f"  ok     {text}")

    def note(self, text: str) -> None:
        """Worth knowing, and nothing to stop for."""
        self._print(f"  note   {text}")

    def wrong(self, text: str) -> None:
        """Counted and said once, however many parts meet it."""
        if text in self._said:
            return
        self._said.add(text)
        self.problems += 1
        self._print(f"  WRONG  {text}")

    def holds(self, rows: int, why: str) -> None:
        """Rows that wait for a person: no reason not to run, and the last line says so."""
        self.held, self._held_by = rows, why

    def detail(self, text: str) -> None:
        for line in text.splitlines():
            self._print(f"         {line}")

    def wrapped(self, text: str) -> None:
        """A long list of words under the line before it."""
        self.detail(textwrap.fill(text, 90, break_on_hyphens=False))

    def summary(self) -> None:
        self._print("")
        found = f"{many(self.problems, 'thing')} to mend" if self.problems else ""
        if self.held:
            held = f"{many(self.held, 'row')} {'is' if self.held == 1 else 'are'} held: {self._held_by}"
            found = f"{found}; {held}" if found else f"{held}; nothing else stands in the way"
        self._print(f"{found or 'Nothing stands in the way'}. Nothing was sent and nothing was changed.")
