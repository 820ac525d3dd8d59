"""The regions of Indonesia by Kemendagri code: 38 provinces, 514 regencies and cities, and codes of the past.

Any code that was valid at some time is taken and stored as sent; successions say what it is called today.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson

Kind = Literal["province", "regency", "city", "district", "village"]

_FILE = Path(__file__).parent / "data" / "regions.json"
_BELOW = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}(?:\.[0-9]{4})?|[0-9]{6}(?:[0-9]{4})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Region:
    """One region. `valid_from` None: before the hub's records begin; `valid_to` None: still valid.

    `valid_to` is the first day on which the code is valid no longer. Districts and villages are known by form
    alone, so their `name` is their code.
    """

    code: str
    name: str
    kind: Kind
    parent: str | None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


class Regions:
    """The regions of one edition of Kemendagri's list, read-only."""

    def __init__(self, version: str, regions: list[Region]) -> None:
        """`version` is the date of the decree that the list follows, `regions` holds past codes too."""
        self.version = version
        self._by_code = {region.code: region for region in regions}
        self._undotted = {region.code.replace(".", ""): region for region in regions}

    @classmethod
    @cache
    def load(cls) -> Regions:
        """The list of this package, read once (its source is named in the file)."""
        data = orjson.loads(_FILE.read_bytes())
        return cls(data["version"], [_region(row) for row in data["regions"]])

    def get(self, code: str) -> Region | None:
        """The region that `code` names or named at some time, dotted (62.02) or not (6202); else None.

        Districts (62.02.01) and villages (62.02.01.1001) are judged by form and by their first four digits.
        """
        return self._by_code.get(code) or self._undotted.get(code) or self._below(code)

    def knows(self, code: str) -> bool:
        """Whether `get` would find a region; made for the intake of complaints."""
        if code in self._by_code or code in self._undotted:
            return True
        regency = code[:5] if "." in code else f"{code[:2]}.{code[2:4]}"
        return regency in self._by_code and _BELOW.fullmatch(code) is not None

    def items(self) -> list[Region]:
        """Every province, regency and city of today, by code."""
        return [region for region in self._by_code.values() if region.valid_to is None]

    def children(self, parent: str | None) -> list[Region]:
        """The regions of today directly under `parent`; the provinces for None. Empty below regencies."""
        known = None if parent is None else self.get(parent)
        if parent is not None and known is None:
            return []
        above = known.code if known else None
        return [region for region in self.items() if region.parent == above]

    def current(self, code: str) -> Region | None:
        """What `code` is called today, by succession; None for a code that never was.

        A district or village of a regency whose code changed gives the regency of today: Kemendagri numbered
        the districts anew, so that 91.02.03 Kurulu is not 95.01.03 (Asologaima).
        """
        region = self.get(code)
        if region is None:
            return None
        while region.successor is not None:
            region = self._by_code[region.successor]
        regency = self._by_code[region.code[:5]] if region.kind in ("district", "village") else region
        return self.current(regency.code) if regency.successor else region

    def _below(self, code: str) -> Region | None:
        if not self.knows(code):
            return None
        digits = code.replace(".", "")
        parts = [part for part in (digits[:2], digits[2:4], digits[4:6], digits[6:]) if part]
        dotted = ".".join(parts)
        kind: Kind = "district" if len(parts) == 3 else "village"
        return Region(dotted, dotted, kind, ".".join(parts[:-1]))


def _region(row: dict[str, Any]) -> Region:
    code: str = row["code"]
    return Region(
        code=code,
        name=row["name"],
        kind=row["kind"],
        parent=code.rpartition(".")[0] or None,
        valid_from=_day(row.get("valid_from")),
        valid_to=_day(row.get("valid_to")),
        successor=row.get("successor"),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
