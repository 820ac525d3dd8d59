"""Texts of an app that are not quite text: named by column and row, never by their words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.values import Value, raw_text
from connectors.words import many

SHOWN: Final = 10
LOST: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands where bytes were no UTF-8."""
_MISREAD: Final = re.compile("\u00e2\u20ac|\u00f0\u0178|\u00c3[\u0080-\u00bf]")
"""UTF-8 that was read as Windows-1252, which MySQL calls latin1: a dash or quote, an emoji, a letter."""


def looks_misread(text: str) -> bool:
    """Whether the text looks like UTF-8 that some program took for latin1, and wrote again as UTF-8."""
    return _MISREAD.search(text) is not None


@dataclass
class OddTexts:
    """What rows hold, gathered over several: column -> references."""

    removed: dict[str, list[str]] = field(default_factory=dict)
    characters: dict[str, int] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    misread: dict[str, list[str]] = field(default_factory=dict)

    def look(self, reference: str, row: Mapping[str, Value], columns: Iterable[str]) -> None:
        """What one row holds in the columns that are mapped."""
        for column in columns:
            text = raw_text(row[column])
            if LOST in text:
                self.lost.setdefault(column, []).append(reference)
            if looks_misread(text):
                self.misread.setdefault(column, []).append(reference)

    def take_out(self, reference: str, removed: Mapping[str, int]) -> None:
        """How many control characters were taken out of each column of one row."""
        for column, count in removed.items():
            self.characters[column] = self.characters.get(column, 0) + count
            self.removed.setdefault(column, []).append(reference)

    def notes(self) -> Iterator[str]:
        """What `check` says of them, with the remedies."""
        for column, rows in self.lost.items():
            yield (
                f"{column} holds bytes that are no UTF-8, which would go as U+FFFD ({of_rows(rows)}); "
                "mend them in the app, or read them by source.query with a conversion"
            )
        for column, rows in self.misread.items():
            name = column.rpartition(".")[2]
            yield (
                f"{column} looks like UTF-8 that was read as latin1 ({of_rows(rows)}); in MySQL and MariaDB "
                f"read it by source.query with CONVERT(CAST(CONVERT({name} USING latin1) AS BINARY) USING "
                f"utf8mb4) AS {name}"
            )
        for column, rows in self.removed.items():
            taken = many(self.characters[column], "control character")
            yield f"{taken} would be taken out of {column} ({of_rows(rows)})"


def of_rows(references: list[str]) -> str:
    """`3 rows: 1, 2, 5`."""
    return f"{many(len(references), 'row')}: {first_of(references)}"


def first_of(references: list[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(references) - SHOWN} more" if len(references) > SHOWN else ""
    return ", ".join(references[:SHOWN]) + more
