"""Masking of whole documents: every text inside, however deep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.domain.privacy.finding import Kind
from hub.domain.privacy.masking import mask_into

_LONG_NUMBER = 10**8
"""Numbers of nine digits and more are looked at as text: some apps send a NIK or telephone as a number, and
what passed through a spreadsheet or PHP comes as a float."""


def mask_value(
    value: Any, own_values: Sequence[str], counts: dict[Kind, int], own_in_names: Sequence[str] = ()
) -> Any:
    """A masked copy of a JSON value. Depth is bounded by the parser that read it.

    Some apps file things under a NIK or a person's name, so members' names are masked too: with the
    reporter's own values only as far as `own_in_names` says, since a schema's own names must stay."""
    if isinstance(value, str):
        return mask_into(value, own_values, counts)
    if isinstance(value, dict):
        return _mask_members(value, own_values, counts, own_in_names)
    if isinstance(value, list):
        return [mask_value(item, own_values, counts, own_in_names) for item in value]
    if _is_long(value):
        text = _digits(value)
        masked = mask_into(text, own_values, counts)
        return value if masked == text else masked
    return value


def _mask_members(
    members: dict[str, Any], own_values: Sequence[str], counts: dict[Kind, int], own_in_names: Sequence[str]
) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    for name, member in members.items():
        hidden = numbered = mask_into(name, own_in_names, counts)
        while numbered in masked:  # two people's names must not become one member
            numbered = f"{hidden} {len(masked)}" if numbered == hidden else f"{numbered}'"
        masked[numbered] = mask_value(member, own_values, counts, own_in_names)
    return masked


def gather_texts(value: Any, texts: list[str]) -> None:
    """Adds every text that `mask_value` would look at."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        texts += value
        for member in value.values():
            gather_texts(member, texts)
    elif isinstance(value, list):
        for item in value:
            gather_texts(item, texts)
    elif _is_long(value):
        texts.append(_digits(value))


def _is_long(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) >= _LONG_NUMBER


def _digits(value: float) -> str:
    """All digits before the point, never an exponent: 3.2e15 says a NIK as well as 3200000000000000 does."""
    return f"{value:.0f}" if isinstance(value, float) else str(value)
