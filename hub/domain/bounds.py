"""What one case, and one thread, may gather. All of its state is read and written at each act, by the one
writer for whom everybody waits; so nobody may make it as long as he likes. Each bound is far above what
happens (a case of many agencies has some ten forwardings). Beside each stands the writer's time that an act
takes there; all of them together come to some 25 ms, and a new case takes one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.domain.case import CaseState
from hub.domain.case_texts import CaseTexts
from hub.domain.threads.thread import ThreadTexts

FULL: Final = "case-full"
"""The problem type of a 409 by a bound of a case …"""
THREAD_FULL: Final = "thread-full"
"""… and of a thread."""

MOST_LINKS: Final = 1_000
"""Links of one case: an outage that a whole town reports. 5 ms; 20 where all are its duplicates."""
MOST_LEGS: Final = 300
"""Forwardings of one case, those that have ended too: each is kept with its clocks. 10 ms."""
MOST_CONSULTATIONS: Final = 200
"""Questions of one case's owners, answered or not. 4 ms."""
MOST_ASKED_BACK: Final = 100
"""Times that one case's reporter is asked for what is missing: each is a clock, and another's pause. 2 ms."""
MOST_ROOMS: Final = 100
"""Threads about one case, concluded ones too: each tells who sees the case. 3 ms, with 51 agencies each."""
MOST_WORDS: Final = 2_000_000
"""Characters of notes, questions and answers that one case keeps, beyond which nothing is sent or asked any
more; who was asked before still answers. 5 ms."""
WORDS_FULL: Final = (
    f"The case keeps {MOST_WORDS:,} characters of notes, questions and answers, the most that it can"
)

OWNERS_PART: Final = 5
"""One in so many places is left to the case's owner: who merely takes part cannot use them all up."""

MOST_PROMISED: Final = 1_000
"""Commitments of one thread, fulfilled ones too."""
MOST_CHANGES: Final = 100
"""Of one commitment's date."""
MOST_STAYS: Final = 50
"""Times that one agency comes to a thread again."""
MOST_THREAD_WORDS: Final = 2_000_000
"""Characters of commitments and of the reasons for their changes that one thread keeps, as MOST_WORDS."""


def left(count: int, most: int, *, owner: bool) -> int:
    """How many more of what a case has `count` of its owner, or anybody else, may add."""
    return max(0, (most if owner else most - most // OWNERS_PART) - count)


def legs_left(state: CaseState, agency: str) -> int:
    return left(len(state.legs), MOST_LEGS, owner=agency == state.owner)


def links_left(state: CaseState, agency: str) -> int:
    return left(len(state.links), MOST_LINKS, owner=agency == state.owner)


def rooms_left(state: CaseState, agency: str) -> int:
    return left(len(state.rooms), MOST_ROOMS, owner=agency == state.owner)


def consultations_left(state: CaseState) -> int:
    return max(0, MOST_CONSULTATIONS - len(state.consultations))


def asked_back(state: CaseState) -> int:
    """How often the reporter was asked: by the clocks that wait for a reply or, where no policy gives one, by
    those that stood still meanwhile."""
    replies = sum(clock.stage == "reply" and not clock.shown_only for clock in state.clocks)
    return max(replies, *(len(clock.pauses) for clock in state.clocks), 0)


def has_words_left(texts: CaseTexts | None) -> bool:
    """Not counted: the complaint's own, which cannot grow."""
    if texts is None:
        return True
    legs = (word for leg in texts.legs.values() for word in (leg.note, leg.answer, leg.reason))
    asked = (word for each in texts.consultations.values() for word in (each.question, each.text))
    return _length(legs) + _length(asked) < MOST_WORDS


def has_thread_words_left(texts: ThreadTexts | None) -> bool:
    if texts is None:
        return True
    made = texts.commitments.values()
    words = (word for each in made for word in (each.text, each.fulfilment, *each.reasons))
    return _length(words) < MOST_THREAD_WORDS


def _length(words: Iterable[str | None]) -> int:
    return sum(len(word) for word in words if word)
