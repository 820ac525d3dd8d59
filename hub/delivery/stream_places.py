"""How many live streams one process holds, and whose: nobody takes the places of all the others."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

from hub.errors import TooMany, Unavailable
from hub.ports.streams import Subscriber

COME_AGAIN_S: Final = 10
OF_OFFICERS: Final = 3 / 4
"""So much of an agency's places its officers may have together; the rest is kept for its systems."""
OF_ONE_CLIENT: Final = 9 / 10
"""So much of an agency's places, for one of its systems."""
OF_ONE_OFFICER: Final = 10
"""Streams: an officer's browser has one for each open page."""


class StreamPlaces:
    """Counted from the moment somebody asks; for the event loop alone."""

    def __init__(self, most: int, most_per_agency: int) -> None:
        self._most, self._most_per_agency = most, most_per_agency
        self._officers = max(1, math.floor(most_per_agency * OF_OFFICERS))
        self._one_client = max(1, math.floor(most_per_agency * OF_ONE_CLIENT))
        self._one_officer = min(OF_ONE_OFFICER, self._officers)
        self._agencies: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()
        """Of each agency's officers together."""
        self._principals: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._agencies.total()

    def take(self, subscriber: Subscriber) -> None:
        """TooMany (429) where the agency, its officers or the principal have theirs, Unavailable (503) where
        the process has."""
        agency, principal = subscriber.agency, subscriber.principal
        if subscriber.is_session:
            _below("You have", self._principals[principal], self._one_officer)
            _below("Your agency's officers have", self._sessions[agency], self._officers)
        else:
            _below("This client has", self._principals[principal], self._one_client)
        _below("Your agency has", self._agencies[agency], self._most_per_agency)
        if self.taken >= self._most:
            raise Unavailable("The hub has as many streams open as it may.", retry_after_s=COME_AGAIN_S)
        self._count(subscriber, 1)

    def give_back(self, subscriber: Subscriber) -> None:
        self._count(subscriber, -1)

    def _count(self, subscriber: Subscriber, change: int) -> None:
        _count(self._agencies, subscriber.agency, change)
        _count(self._principals, subscriber.principal, change)
        if subscriber.is_session:
            _count(self._sessions, subscriber.agency, change)


def _below(who: str, count: int, most: int) -> None:
    if count >= most:
        raise TooMany(
            f"{who} {count} stream(s) open here, the most that may be; close one, or come back.",
            retry_after_s=COME_AGAIN_S,
        )


def _count(counted: Counter[str], name: str, change: int) -> None:
    counted[name] += change
    if not counted[name]:
        del counted[name]
