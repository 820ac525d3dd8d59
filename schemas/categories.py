"""The topics of complaints: a versioned list, onto which each source maps its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import orjson

_FILE = Path(__file__).parent / "data" / "categories.json"


@dataclass(frozen=True, slots=True)
class Category:
    """One topic, named in Bahasa Indonesia and English. `valid_to` is the first day without it."""

    code: str
    name: str
    name_en: str
    valid_from: date
    valid_to: date | None = None
    successor: str | None = None


class Categories:
    """One version of the list, read-only. A topic that ended is still known, so that old complaints fit."""

    def __init__(self, version: str, categories: list[Category]) -> None:
        """`categories` in the order in which people are shown them."""
        self.version = version
        self._by_code = {category.code: category for category in categories}

    @classmethod
    @cache
    def load(cls) -> Categories:
        """The list of this package, read once."""
        data = orjson.loads(_FILE.read_bytes())
        return cls(data["version"], [_category(row) for row in data["categories"]])

    def get(self, code: str) -> Category | None:
        """The topic that `code` names or named at some time, else None."""
        return self._by_code.get(code)

    def items(self) -> list[Category]:
        """The topics of today, in their order; `other` stands last."""
        return [category for category in self._by_code.values() if category.valid_to is None]

    def codes(self) -> list[str]:
        """The codes of today's topics."""
        return [category.code for category in self.items()]

    def current(self, code: str) -> Category | None:
        """Today's topic for a code of any time, by succession; None for a code that never was."""
        category = self._by_code.get(code)
        while category is not None and category.successor is not None:
            category = self._by_code[category.successor]
        return category


def _category(row: dict[str, Any]) -> Category:
    valid_to = row.get("valid_to")
    return Category(
        code=row["code"],
        name=row["name"],
        name_en=row["name_en"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(valid_to) if valid_to else None,
        successor=row.get("successor"),
    )
