"""Checkpoints: what the hub says, signed, of all streams at one moment, and where a stream stands in it.

The tree of all heads is made once a process, when the first evidence is asked for, and then follows the log:
an export reads what was recorded since, not every head. A checkpoint is used again for a minute by cases that
have not changed meanwhile; a case that has gets a new one, so that evidence is never older than its case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hub.domain.evidence import Path, Signer, checkpoint, leaf
from hub.domain.evidence_tree import HeadTree
from hub.ports.clock import rfc3339
from hub.ports.effects import Head
from hub.ports.store import ReadSession

PAGE: Final = 2000
HEADS: Final = 10_000
KEPT: Final = timedelta(minutes=1)
ANEW: Final = 200_000
"""After so many events it is cheaper to read all heads again than to follow the log."""


class Placed(NamedTuple):
    """A signed checkpoint, and for each stream its way up to the root."""

    checkpoint: dict[str, Any]
    paths: list[Path]


class Checkpoints:
    """Not shared between threads: the desk lets one export in at a time."""

    def __init__(self, hub: str) -> None:
        self._hub = hub
        self._tree: HeadTree
        """Made by the first export."""
        self._position = 0
        """Up to which the tree knows the log; 0: it was not made yet."""
        self._made_at: datetime | None = None
        self._latest: dict[str, Any] = {}

    def placing(self, session: ReadSession, heads: dict[str, Head], signer: Signer, now: datetime) -> Placed:
        """A checkpoint that knows these streams with these heads, as the same session read them."""
        leaves = {name: leaf(name, head.sequence, head.chain) for name, head in heads.items()}
        if not self._covers(leaves, now):
            self._follow(session)
            if not self._knows(leaves):  # the log's end was changed beside the hub
                self._tree = _all_heads(session)
            self._latest = checkpoint(
                hub=self._hub,
                incarnation=session.incarnation(),
                made_at=rfc3339(now),
                position=self._position,
                streams=self._tree.streams,
                root=self._tree.root,
                signer=signer,
            )
            self._made_at = now
        return Placed(self._latest, [self._tree.path(name, each) for name, each in leaves.items()])

    def _covers(self, leaves: dict[str, bytes], now: datetime) -> bool:
        if self._made_at is None or not self._made_at <= now < self._made_at + KEPT:
            return False
        return self._knows(leaves)

    def _knows(self, leaves: dict[str, bytes]) -> bool:
        return all(self._tree.knows(name, each) for name, each in leaves.items())

    def _follow(self, session: ReadSession) -> None:
        """Brings the tree up to the end of the session's log; whole, or not at all."""
        self._made_at = None
        last = session.last_position()
        if not self._position or last - self._position > ANEW:
            self._tree, self._position = _all_heads(session), last
            return
        moved = _moved(session, self._position)
        try:
            for stream, (before, now) in moved.items():
                old = leaf(stream, before.sequence, before.chain) if before else None
                self._tree.put(stream, leaf(stream, now.sequence, now.chain), old)
        except KeyError:  # the log's past was changed beside the hub: it is taken as it stands now
            self._tree = _all_heads(session)
        self._position = last


def _all_heads(session: ReadSession) -> HeadTree:
    tree, after = HeadTree(), ""
    while page := session.heads(after, HEADS):
        for stream, head in page:
            tree.put(stream, leaf(stream, head.sequence, head.chain))
        after = page[-1][0]
    return tree


def _moved(session: ReadSession, position: int) -> dict[str, tuple[Head | None, Head]]:
    """Of the streams with events after `position`: the head then (None: there was none) and the head now."""
    first: dict[str, int] = {}
    now: dict[str, Head] = {}
    while events := session.events_after(position, PAGE):
        for event in events:
            first.setdefault(event.stream, event.sequence)
            now[event.stream] = Head(event.sequence, event.chain)
        position = events[-1].position
    return {stream: (_link(session, stream, first[stream] - 1), head) for stream, head in now.items()}


def _link(session: ReadSession, stream: str, sequence: int) -> Head | None:
    if sequence == 0:
        return None
    (event,) = session.stream(stream, sequence - 1, 1)
    return Head(event.sequence, event.chain)
