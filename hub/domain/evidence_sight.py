"""Whether an event's stored header would tell its reader more than the history does.

A header holds what `evolve` needs: everyone who was told of the event, and all clocks that it moved. The
chain is over the whole of it, so it is given whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import orjson

from hub.domain.audience import Sight
from hub.domain.events import Fact
from hub.domain.threads.sight import ThreadSight


def hidden_names(
    facts: Sequence[Fact],
    rendered: Iterable[dict[str, Any]],
    seen: Sight | ThreadSight,
    agencies: Collection[str],
) -> list[bytes]:
    """Those of `agencies`, as they stand in JSON, that the stream's headers name, wherever, and its history
    does not show to this reader."""
    shown = b"".join(orjson.dumps(each["data"]) for each in rendered)
    texts = {text for fact in facts for text in (fact.actor, *fact.recipients, *_texts(fact.data))}
    names = texts & set(agencies) - {seen.agency}
    return sorted(quoted for name in names if (quoted := orjson.dumps(name)) not in shown)


def beyond(header: bytes, fact: Fact, seen: Sight | ThreadSight, hidden: Sequence[bytes]) -> bool:
    """Who left the case sees its own clocks alone; everybody only agencies that the history shows."""
    if not seen.whole and _timed(fact) - {seen.agency}:
        return True
    return any(name in header for name in hidden)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, the names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _timed(fact: Fact) -> set[str]:
    return {clock["agency"] for clock in fact.data.get("clocks", ())}
