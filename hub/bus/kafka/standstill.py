"""Whether a reader that is silent ought to be: what the broker says of its group and its partitions is held
against what the reader believes. A reader that stands still says nothing by itself."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from kafka import errors  # type: ignore[import-untyped]

from hub.bus.kafka.reading import Reading

LOOK_EVERY_S: Final = 5.0
STANDS_STILL_S: Final = 15.0
"""A flaw that lasts so long while nothing is read is no rebalance (a dead member holds one up for 6 s)."""
LONGEST_S: Final = 300.0
ASK_MS: Final = 2_000

Flaws = Mapping[Hashable, str]
"""By what they are about; one that has moved on since is another flaw."""


class Standstill:
    """Remembers since when each flaw is there. Its patience doubles with every reader that was replaced in
    vain: each replacement costs the whole group a rebalance."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[Hashable, float] = {}
        self._look_at = 0.0
        self._patience_s = STANDS_STILL_S
        self.cause: str | None = None
        """Why the reader was replaced; None once one reads again, or has nothing to read."""

    def moved(self) -> None:
        """Records came."""
        self._since, self.cause, self._patience_s = {}, None, STANDS_STILL_S

    def is_due(self) -> bool:
        return self._clock() >= self._look_at

    def judge(self, flaws: Flaws) -> str | None:
        """What has been wrong for too long; the reader is to be replaced then."""
        now = self._clock()
        self._look_at = now + LOOK_EVERY_S
        self._since = {about: self._since.get(about, now) for about in flaws}
        late = [flaws[about] for about, since in self._since.items() if now - since >= self._patience_s]
        if late:
            self.cause = f"the reader stood still and is replaced: {late[0]}"
            self._since, self._patience_s = {}, min(2 * self._patience_s, LONGEST_S)
            return self.cause
        if not flaws:
            self.cause = None
        return None


def flaws_of(held: Reading, group: str) -> dict[Hashable, str]:
    """That nobody answers is a flaw too: a moment without a leader is none, a reader that gets no answers for
    long is."""
    if not held.readable:
        return {}
    try:
        told = held.admin.describe_groups([group])[group]
        if told["error"] and errors.GroupIdNotFoundError.__name__ not in told["error"]:
            return _of_partitions(held)  # a group that may not be described
        return _of_member(held, told)
    except errors.KafkaError as error:
        return {"answer": f"it gets no answer from the broker ({type(error).__name__})."}


def _of_member(held: Reading, told: Mapping[str, Any]) -> dict[Hashable, str]:
    """Nothing is said of a member while its group rebalances: that may wait for another one's batch."""
    us = held.consumer.group_metadata().member_id
    mine = [member for member in told["members"] if member["member_id"] == us]
    if not mine:
        return {"member": "it is no member of its group."}
    if told["group_state"] != "Stable":
        return {}
    if _given(mine[0]) != {tuple(part) for part in held.consumer.assignment()}:
        return {"assignment": "it does not hold the partitions that it was given."}
    return _of_partitions(held)


def _given(member: Mapping[str, Any]) -> set[tuple[Any, ...]]:
    given = member["member_assignment"] or {"assigned_partitions": ()}
    return {
        (topic["topic"], number) for topic in given["assigned_partitions"] for number in topic["partitions"]
    }


def _of_partitions(held: Reading) -> dict[Hashable, str]:
    """Those that have more records than were read. What a transaction still holds back does not count."""
    consumer = held.consumer
    parts, paused = list(consumer.assignment()), consumer.paused()
    ends = consumer.end_offsets(parts, timeout_ms=ASK_MS) if parts else {}
    flaws: dict[Hashable, str] = {}
    for part, end in ends.items():
        at = None if part in paused else consumer.position(part, timeout_ms=ASK_MS)
        if at is None or at < end:
            why = f"{part.topic}, partition {part.partition}: it is at {at}, the end is at {end}."
            flaws[(tuple(part), at)] = why
    return flaws
