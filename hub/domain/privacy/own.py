"""The reporter's own values in a text, whatever their form: see `names`, `own_numbers` (numbers of 7 digits
or more) and `own_addresses` (anything with an @), and `letters` for how a text is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub.domain.privacy.finding import TOKEN, Span
from hub.domain.privacy.letters import as_written, folded, plain_letters
from hub.domain.privacy.names import name_may_stand, name_patterns, single_words, squeezed
from hub.domain.privacy.own_addresses import address_pattern, address_words
from hub.domain.privacy.own_numbers import core_of, core_shape, number_pattern, number_shape

_OWN = ("name", "phone", "email", "national_id")


def own_values(reporter: Mapping[str, Any], *, hidden: bool) -> list[str]:
    """What must not stand in a text about this reporter {name?, phone?, email?, national_id?}.

    `hidden` for an anonymous or confidential complaint: the telling words of the name count alone too."""
    values = [value for name in _OWN if (value := reporter.get(name))]
    if hidden and (name := reporter.get("name")):
        values += single_words(name)
    return values


def may_stand(text: str, values: Iterable[str]) -> list[str]:
    """Cheap: those of the values that may be in `text`; surely none that is in it is left out."""
    lowered = folded(text)
    shape: bytes | None = None
    letters: str | None = None
    found: list[str] = []
    for value in values:
        plain = folded(value)
        if core := core_of(plain):
            shape = number_shape(lowered) if shape is None else shape
            stands = core_shape(core) in shape
        elif "@" in plain:
            stands = all(word in lowered for word in address_words(plain))
        else:
            letters = squeezed(lowered) if letters is None else letters
            stands = name_may_stand(lowered, letters, plain)
        if stands:
            found.append(value)
    return found


def may_hold(text: str, values: Iterable[str]) -> bool:
    """Whether any of the values may be in `text`."""
    return bool(may_stand(text, values))


def plain_may_hold(text: str, values: Iterable[str]) -> bool:
    """`may_hold` for a text that `is_plain`; without @, or what is written for it, none is an address."""
    return may_hold(text, [value for value in values if "@" not in value])


def own_spans(text: str, values: Sequence[str]) -> list[Span]:
    """Where the values stand, in order, leaving what is masked already alone."""
    # An address first: its beginning may be a form of the name ("y.kiwok@…"), and the rest would stay.
    ordered = sorted(map(folded, values), key=lambda value: "@" not in value)
    patterns = [pattern for value in ordered for pattern in _patterns(value)]
    if not patterns:
        return []
    # The first alternative consumes a token, so that nothing inside it is ever found.
    search = re.compile(f"({TOKEN.pattern})|{'|'.join(patterns)}", re.IGNORECASE)
    found = search.finditer(plain_letters(text))
    return list(
        as_written(text, [(*each.span(), "reporter") for each in found if each[1] is None and each[0]])
    )


def _patterns(value: str) -> list[str]:
    if core := core_of(value):
        return [number_pattern(core)]
    if "@" in value:
        return [pattern] if (pattern := address_pattern(value)) else []
    return name_patterns(value)
