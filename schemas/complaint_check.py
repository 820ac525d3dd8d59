"""All that a complaint must meet before the hub takes it: schema, codes, clock, size of the extras."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from schemas.categories import Categories
from schemas.explain import shown
from schemas.flaw import Flaw, field_name, pointer_to
from schemas.hints import like_category, like_region, offer
from schemas.moments import beyond_the_years, moment, span
from schemas.regions import Regions
from schemas.registry import MOST_FLAWS, Registry

AHEAD = timedelta(minutes=5)
"""So far may a source's clock run ahead of the hub's."""
A_DAY = timedelta(days=1)
_TOLD_BETTER = frozenset({"/category", "/location/region", "/submitted_at"})
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
    if any(flaw.pointer in _TOLD_BETTER for flaw in flaws):
        better = {flaw.pointer: flaw for flaw in _better_told(document, now, regions, categories)}
        flaws = [better.get(flaw.pointer, flaw) for flaw in flaws]
    refused = [flaw.pointer + "/" for flaw in flaws]
    for flaw in _code_flaws(document, now, regions, categories):
        if not any(f"{flaw.pointer}/".startswith(pointer) for pointer in refused):
            flaws.append(flaw)
    return flaws[:MOST_FLAWS]


def _better_told(
    document: dict[str, Any], now: datetime, regions: Regions, categories: Categories
) -> Iterator[Flaw]:
    """What the schema refuses by its form alone, and of which we know what was meant or where it stands."""
    category, location = document.get("category"), document.get("location")
    if "category" not in document:
        right = "a code from the list of topics (GET /v1/categories), such as road"
        yield Flaw("/category", f"category is missing. Add it: {right}.")
    if isinstance(category, str) and like_category(category, categories):
        yield _unknown_category(category, categories)
    name = location.get("region") if isinstance(location, dict) else None
    if isinstance(name, str) and (meant := like_region(name, regions)):
        advice = offer((region.code, region.name) for region in meant)
        wrong = "location.region must be a Kemendagri region code (GET /v1/regions), not a name."
        yield Flaw("/location/region", f"{wrong} {advice}")
    if beyond_the_years(document.get("submitted_at")):
        yield from _clock_flaws(document["submitted_at"], now)


def _code_flaws(
    document: dict[str, Any], now: datetime, regions: Regions, categories: Categories
) -> Iterator[Flaw]:
    category = document.get("category")
    if isinstance(category, str) and categories.get(category) is None:
        yield _unknown_category(category, categories)
    yield from _region_flaws(document.get("location"), regions)
    yield from _clock_flaws(document.get("submitted_at"), now)
    yield from _day_flaws(document.get("occurred_on"), now)
    if "extensions" in document:
        yield from _extension_flaws(document["extensions"])


def _unknown_category(code: str, categories: Categories) -> Flaw:
    meant = like_category(code, categories)
    advice = offer((topic.code, topic.name) for topic in meant) or "Write one of them, or other."
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
    at = moment(submitted_at)
    if at is not None and at - now > AHEAD:
        yield Flaw(
            "/submitted_at",
            f"submitted_at{shown(('submitted_at',), submitted_at)}, which is {span(at - now)} ahead of the "
            "hub's clock; at most 5 minutes are allowed. Check the clock and the offset "
            "(WIB is +07:00, WITA +08:00, WIT +09:00).",
        )


def _day_flaws(occurred_on: Any, now: datetime) -> Iterator[Flaw]:
    """A day ahead is allowed: the hub counts in UTC, and in Papua it is tomorrow nine hours sooner."""
    if not isinstance(occurred_on, str):
        return
    try:
        day = date.fromisoformat(occurred_on)
    except ValueError:
        return
    if day > (now.astimezone(UTC) + A_DAY).date():
        yield Flaw(
            "/occurred_on",
            f"occurred_on{shown(('occurred_on',), occurred_on)}, which has not come yet. Write the day on "
            "which it happened, or leave it out.",
        )


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
