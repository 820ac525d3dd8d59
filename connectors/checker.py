"""Checks a mapped complaint by the same rules as the hub, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from connectors.national_ids import reference_flaws
from schemas.categories import Categories
from schemas.complaint_check import check_complaint
from schemas.flaw import Flaw
from schemas.regions import Region, Regions
from schemas.registry import Registry


@cache
def shared_rules() -> tuple[Registry, Regions, Categories]:
    """Reading and compiling them takes a sixth of a second; nothing changes them."""
    return Registry.load(), Regions.load(), Categories.load()


class Checker:
    """The shared schema, regions and categories of this version, loaded once a process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._registry, self._regions, self._categories = shared_rules()

    def flaws(self, document: dict[str, Any]) -> list[Flaw]:
        """What the hub would refuse; empty when it would take it."""
        flaws = check_complaint(
            document,
            now=self._now(),
            registry=self._registry,
            regions=self._regions,
            categories=self._categories,
        )
        return flaws + reference_flaws(document)

    def usual_region(self, document: dict[str, Any]) -> Region | None:
        """The region of a complaint whose code is taken, and written otherwise than on the hub's list."""
        code = document.get("location", {}).get("region")
        region = self._regions.get(code) if isinstance(code, str) else None
        return region if region is not None and region.code != code else None

    def knows_category(self, code: str) -> bool:
        return self._categories.get(code) is not None
