"""Whether the agency's system fails at one case or as a whole. As in the hub, several subjects tell."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.pauses import FAILURES_IN_A_ROW


class SystemHealth:
    """Fed with what each subject's event ended in; in memory alone, so that a start judges anew."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        """At which it failed since it last took, or refused, any event."""
        self._alone: set[str] = set()
        """At which it failed while it took another's."""
        self._again: set[str] = set()
        """Of these, at which it failed since it last took, or refused, any event."""
        self._up = False
        """Whether it did so in this round."""

    def next_round(self) -> None:
        self._up = False

    def failed(self, subject: str, next_ones: Iterable[str]) -> bool:
        """True when it is the system as a whole: it failed at several in a row, or at all that there are
        (`next_ones`: whose turn is next). Those at which it fails alone tell it among themselves, in a round
        in which it took no other's: else many of them would slow down who has much to take."""
        if subject in self._alone:
            self._again.add(subject)
            return len(self._again) >= FAILURES_IN_A_ROW and not self._up
        self._down.add(subject)
        untried = set(next_ones) - self._down - self._alone
        return len(self._down) >= FAILURES_IN_A_ROW or not untried

    def is_alone(self, subject: str) -> bool:
        return subject in self._alone

    def answered(self) -> None:
        """It took an event, or refused one as its own decision: it is up, and what it failed at until now is
        to blame itself if it fails again."""
        self._alone |= self._down
        self._down.clear()
        self._again.clear()
        self._up = True

    def settled(self, subject: str) -> None:
        """What waited of it took effect, or was set aside."""
        self._alone.discard(subject)
        self._again.discard(subject)
