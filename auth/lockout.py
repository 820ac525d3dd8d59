"""What wrong attempts to sign in lead to. Who guesses is shut out where the guesses come from, long before
the account is: failing on purpose locks nobody else out of it."""

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
LONGEST: Final = timedelta(hours=1)
"""Of the lock of one account for one address, or for one browser that is known."""
FORGOTTEN: Final = timedelta(days=1)
ACCOUNT_FREE: Final = 20
ACCOUNT_LONGEST: Final = timedelta(minutes=5)
"""Of the lock for every browser that is not known. Far shorter than LONGEST: between two guesses from one
address anybody else gets in. All addresses together have some 310 guesses a day at one account."""
AT_ONCE: Final = 30
AGAIN_S: Final = 10.0
MOST_ADDRESSES: Final = 10_000


def lock_after(failures: int, free: int = FREE, longest: timedelta = LONGEST) -> timedelta | None:
    """The lock after that many failures in a row: none, then 30 s, doubled each time, at most `longest`.
    What is locked takes no attempt, so none is counted meanwhile."""
    if failures < free:
        return None
    return min(longest, FIRST * (1 << min(failures - free, 16)))


LOCKS: Final = tuple(
    lock_after(failures, ACCOUNT_FREE, ACCOUNT_LONGEST) for failures in range(1, ACCOUNT_FREE + 6)
)
"""Of the whole account, after the first failure, the second, and so on; the last for all that follow."""


class Guesses:
    """Wrong attempts in a row at one account, from one place: an address, or a browser that is known. For one
    process. Bounded: what is longest unheard of is forgotten, and what nobody tried for a day."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._counted: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def take(self, account: str, place: str) -> bool:
        """Counts an attempt before it is judged; False, and nothing is counted, while it is locked. The same
        whether or not there is such an account."""
        found, now = (account, place), self._monotonic()
        failures, since = self._counted.pop(found, (0, now))
        if now - since >= FORGOTTEN.total_seconds():
            failures = 0
        lock = lock_after(failures)
        taken = lock is None or now - since >= lock.total_seconds()
        self._counted[found] = (failures + 1, now) if taken else (failures, since)
        if len(self._counted) > MOST_ADDRESSES:
            self._counted.popitem(last=False)
        return taken

    def give_back(self, account: str, place: str) -> None:
        """The password was right, and something else is missing: no failure, no success either."""
        failures, since = self._counted.get((account, place), (0, 0.0))
        if failures:
            self._counted[account, place] = (failures - 1, since)

    def forget(self, account: str, place: str) -> None:
        """The attempt was right."""
        self._counted.pop((account, place), None)


class AddressBudget:
    """How many attempts may fail from one address: 30 at once, then one every ten seconds. For one process.
    Bounded: the address longest unheard of is forgotten."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int:
        """Takes one attempt beforehand; 0, or the seconds to wait when none is left."""
        name, now = network(address), self._monotonic()
        left, since = self._left.pop(name, (float(AT_ONCE), now))
        left = min(float(AT_ONCE), left + (now - since) / AGAIN_S)
        taken = left >= 1.0
        self._left[name] = (left - 1.0 if taken else left, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return 0 if taken else math.ceil((1.0 - left) * AGAIN_S)

    def give_back(self, address: str) -> None:
        """The attempt did not fail."""
        name = network(address)
        if name in self._left:
            left, since = self._left[name]
            self._left[name] = (min(float(AT_ONCE), left + 1.0), since)


def network(address: str) -> str:
    """What counts as one address: an IPv6 network of 64 bits does. "" for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Network((found, 64), strict=False))
    return str(found)
