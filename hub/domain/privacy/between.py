"""What stands between groups of digits and says that they are nobody's number: "buka 08:00-15:00", a sum."""

from __future__ import annotations

from typing import Final

from hub.domain.privacy.finding import Group

_HOURS: Final = 24
_MINUTES: Final = 59
_RARE: Final = frozenset(":;#+~=")
"""Signs that part a number only where somebody hides it; then the same all along."""


def has_time(window: list[Group]) -> bool:
    """08:00 or 08:00:15 among the groups: no more of them, nor longer ones, are joined by colons there."""
    chain = [window[0].digits]
    for group in window[1:]:
        if group.gap == ":":
            chain.append(group.digits)
        elif _is_time(chain):
            return True
        else:
            chain = [group.digits]
    return _is_time(chain)


def _is_time(chain: list[str]) -> bool:
    hour, *rest = chain
    return (
        len(rest) in (1, 2)
        and len(hour) <= 2
        and int(hour) <= _HOURS
        and all(len(each) == 2 and int(each) <= _MINUTES for each in rest)
    )


def is_mixed(window: list[Group]) -> bool:
    """12+34=46, 7: what parts the groups is rare, and not always the same."""
    gaps = {group.gap.strip() for group in window[1:]}
    return len(gaps) > 1 and any(not _RARE.isdisjoint(gap) for gap in gaps)
