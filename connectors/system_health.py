"""Whether the agency's system fails at one case or as a whole. As in the hub, several subjects tell."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Protocol

from connectors.pauses import FAILURES_IN_A_ROW


class Waits(Protocol):
    """What waits for the agency's system."""

    def subjects(self) -> AbstractSet[str]:
        """Of which anything waits, its pause over or not."""

    def ready_subjects(self) -> AbstractSet[str]:
        """Some of those whose turn it may be now, and all if there are few."""


class SystemHealth:
    """Fed with what each subject's event ended in; in memory alone, so that a start judges anew."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        """At which it failed since it last took, or refused, any event."""
        self._alone: set[str] = set()
        """At which it failed while it took another's."""
        self._again: set[str] = set()
        """Of these, at which it failed since it last took, or refused, any event."""
        self.answers = 0
        """How often it took, or refused, an event since the start."""
        self.is_down = False
        """Whether it is judged down, or asks to wait, as a whole."""
        self.fails_at_known = False
        """Whether it is judged by those alone at which it fails alone."""

    @property
    def fails_somewhere(self) -> bool:
        """As a whole, or at cases that still wait."""
        return self.is_down or bool(self._down or self._alone)

    @property
    def is_whole(self) -> bool:
        """Whether it fails as a whole, as far as anybody can tell."""
        return self.is_down or self.fails_at_known

    def failed(self, subject: str, known: bool, at_work: AbstractSet[str], inbox: Waits) -> bool:
        """True when it is the system as a whole: it failed at several in a row, or at all that there are
        (`at_work`: subjects whose events are on their way now). Those at which it fails alone tell it when it
        failed again at each of them, and took no other's meanwhile: else many of them would slow down who has
        much to take. `known`: it took others while this one waited for its answer, or failed at it before the
        start and took others since."""
        if known and subject not in self._down:
            self._alone.add(subject)
        if subject in self._alone:
            self._again.add(subject)
            if len(self._again) >= FAILURES_IN_A_ROW and self._alone & inbox.subjects() <= self._again:
                self.fails_at_known = self.fails_at_known or not self._untried(at_work, inbox)
            return self.is_whole
        self._down.add(subject)
        if len(self._down) >= FAILURES_IN_A_ROW or not self._untried(at_work, inbox):
            self.is_down = True
        return self.is_down

    def _untried(self, at_work: AbstractSet[str], inbox: Waits) -> AbstractSet[str]:
        """Who may still show that it takes events."""
        return (at_work - self._down - self._again) or (inbox.ready_subjects() - self._down - self._alone)

    def asks_to_wait(self) -> None:
        """It asks to be left alone, whatever comes next."""
        self.is_down = True

    def is_alone(self, subject: str) -> bool:
        return subject in self._alone

    def answered(self) -> None:
        """It took an event, or refused one as its own decision: it is up, and what it failed at until now is
        to blame itself if it fails again."""
        self._alone |= self._down
        self._down.clear()
        self._again.clear()
        self.answers += 1
        self.is_down = self.fails_at_known = False

    def settled(self, subject: str) -> None:
        """What waited of it took effect, or was set aside."""
        self._alone.discard(subject)
        self._again.discard(subject)
