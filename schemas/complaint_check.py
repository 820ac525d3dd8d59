"""All that a complaint must meet before the hub takes it: schema, codes, clock, size of the extras."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

import orjson

from schemas.categories import Categories
from schemas.explain import shown
from schemas.flaw import Flaw, field_name, pointer_to
from schemas.regions import Regions
from schemas.registry import MOST_FLAWS, Registry

AHEAD = timedelta(minutes=5)
"""So far may a source's clock run ahead of the hub's."""
EXTENSION_BYTES = 16 * 1024
EXTENSION_DEPTH = 16

# \r only as part of \r\n, which HTML forms send for a line break: the same rule as in the schemas' text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")

Path = tuple[str | int, ...]


def check_complaint(
    document: Any, *, now: datetime, registry: Registry, regions: Regions, categories: Categories
) -> list[Flaw]:
    """What is wrong with a complaint, at most MOST_FLAWS; an empty list when the hub can take it.

    `now` has an offset. What the schema already refused is not judged a second time.
    """
    flaws = registry.validate("complaint", document)
    if not isinstance(document, dict):
        return flaws
    refused = [flaw.pointer + "/" for flaw in flaws]
    for flaw in _code_flaws(document, now, regions, categories):
        if not any(f"{flaw.pointer}/".startswith(pointer) for pointer in refused):
            flaws.append(flaw)
    return flaws[:MOST_FLAWS]


def _code_flaws(
    document: dict[str, Any], now: datetime, regions: Regions, categories: Categories
) -> Iterator[Flaw]:
    category = document.get("category")
    if isinstance(category, str) and categories.get(category) is None:
        yield _unknown_category(category, categories)
    yield from _region_flaws(document.get("location"), regions)
    yield from _clock_flaws(document.get("submitted_at"), now)
    if "extensions" in document:
        yield from _extension_flaws(document["extensions"])


def _unknown_category(code: str, categories: Categories) -> Flaw:
    close = get_close_matches(code[:64], categories.codes(), n=1)
    advice = f"Did you mean {close[0]}?" if close else "Write one of them, or other."
    seen = shown(("category",), code)
    wrong = f"category{seen}{', which' if seen else ''} is not on the list of topics (GET /v1/categories)."
    return Flaw("/category", f"{wrong} {advice}")


def _region_flaws(location: Any, regions: Regions) -> Iterator[Flaw]:
    code = location.get("region") if isinstance(location, dict) else None
    if isinstance(code, str) and not regions.knows(code):
        seen = shown(("location", "region"), code)
        yield Flaw(
            "/location/region",
            f"location.region{seen}{', which' if seen else ''} was never a Kemendagri region code. "
            "Write one such as 62.02 (GET /v1/regions), or leave the region out.",
        )


def _clock_flaws(submitted_at: Any, now: datetime) -> Iterator[Flaw]:
    moment = _moment(submitted_at)
    if moment is not None and moment - now > AHEAD:
        minutes = int((moment - now).total_seconds() // 60)
        yield Flaw(
            "/submitted_at",
            f"submitted_at{shown(('submitted_at',), submitted_at)}, which is {minutes:,} minutes ahead of "
            "the hub's clock; at most 5 are allowed. Check the clock and the offset "
            "(WIB is +07:00, WITA +08:00, WIT +09:00).",
        )


def _moment(value: Any) -> datetime | None:
    """The moment, or None for what the schema has refused by then."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _extension_flaws(extensions: Any) -> Iterator[Flaw]:
    if not isinstance(extensions, dict):
        return
    for agency, extras in extensions.items():
        path: Path = ("extensions", agency)
        yield from _extras_flaws(path, extras)


def _extras_flaws(path: Path, extras: Any) -> Iterator[Flaw]:
    if _deeper_than(extras, EXTENSION_DEPTH):
        yield _flaw(path, f"is nested more than {EXTENSION_DEPTH} levels deep. Flatten it")
        return
    try:
        size = len(orjson.dumps(extras))
    except TypeError:
        yield _flaw(
            path, "holds what JSON cannot carry (half a character, or a number beyond 64 bits). Remove it"
        )
        return
    if size > EXTENSION_BYTES:
        wrong = f"is {size:,} bytes long as JSON; at most {EXTENSION_BYTES:,} are allowed. Shorten it"
        yield _flaw(path, wrong)
        return
    for place in _controls(extras, path):
        wrong = "holds a control character; of these only line break and tab are allowed. Remove it"
        yield _flaw(place, wrong)


def _flaw(path: Path, wrong: str) -> Flaw:
    return Flaw(pointer_to(path), f"{field_name(path)} {wrong}.")


def _deeper_than(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [inner for outer in level for inner in _members(outer)]
        if not level:
            return False
    return any(isinstance(inner, dict | list) for inner in level)


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _controls(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, str):
        if _CONTROL.search(value):
            yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from [(*path, name)] if _CONTROL.search(name) else _controls(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _controls(item, (*path, index))
