"""What wrong attempts to sign in lead to: locks of the account, and a bound for the address they are from."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

FREE: Final = 5
"""So many wrong attempts have no consequence: people mistype."""
FIRST: Final = timedelta(seconds=30)
LONGEST: Final = timedelta(minutes=15)
"""Also what somebody can do to another's account by failing on purpose."""
AT_ONCE: Final = 30
AGAIN_S: Final = 10.0
MOST_ADDRESSES: Final = 10_000


def lock_after(failures: int) -> timedelta | None:
    """The lock after that many failures in a row: none, then 30 s, doubled each time, at most 15 minutes.
    A locked account takes no attempt, so none is counted meanwhile."""
    if failures < FREE:
        return None
    return min(LONGEST, FIRST * (1 << min(failures - FREE, 16)))


LOCKS: Final = tuple(lock_after(failures) for failures in range(1, FREE + 7))
"""After the first failure, the second, and so on; the last one for all that follow."""


class AddressBudget:
    """How many attempts may fail from one address: 30 at once, then one every ten seconds. For one process;
    an IPv6 network of 64 bits counts as one address. Bounded: the address longest unheard of is forgotten."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Takes one attempt beforehand; 0, or the seconds to wait when none is left."""
        name, now = _network(address), self._monotonic()
        left, since = self._left.pop(name, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + (now - since) / AGAIN_S)
        taken = left >= 1.0
        self._left[name] = (left - 1.0 if taken else left, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return 0 if taken else math.ceil((1.0 - left) * AGAIN_S)

    def give_back(self, address: str) -> None:
        """The attempt did not fail."""
        name = _network(address)
        if name in self._left:
            left, since = self._left[name]
            self._left[name] = (min(float(AT_ONCE), left + 1.0), since)


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Network((found, 64), strict=False))
    return str(found)
