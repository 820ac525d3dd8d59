"""A Merkle tree over the heads of all streams, kept up to date stream by stream.

4,096 buckets, each with the sorted leaves of the streams that fall into it, so that the root depends on the
heads alone and not on the order in which they became known; a changed head costs its bucket and the way up.
About 80 bytes a stream in memory."""

from __future__ import annotations

import zlib
from bisect import bisect_left, insort
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import Final

from hub.domain.evidence import LEFT, RIGHT, Path, node

BUCKETS: Final = 4096
"""A power of two: on the way up everyone has a neighbour."""
EMPTY: Final = bytes(32)
"""Stands for a bucket without streams."""


class HeadTree:
    """Not shared between threads."""

    def __init__(self) -> None:
        self.streams = 0
        self._buckets: defaultdict[int, list[bytes]] = defaultdict(list)
        self._stale: set[int] = set()
        self._levels = [list(level) for level in _without_streams()]

    @property
    def root(self) -> bytes:
        self._refresh()
        return self._levels[-1][0]

    def put(self, stream: str, leaf: bytes, before: bytes | None = None) -> None:
        """The stream's leaf, in the place of `before`. KeyError when that is not there: the tree and the log
        tell two stories."""
        number = _bucket(stream)
        bucket = self._buckets[number]
        if before is None:
            self.streams += 1
        else:
            del bucket[self._place(bucket, before)]
        insort(bucket, leaf)
        self._stale.add(number)

    def knows(self, stream: str, leaf: bytes) -> bool:
        bucket = self._buckets.get(_bucket(stream), [])
        place = bisect_left(bucket, leaf)
        return place < len(bucket) and bucket[place] == leaf

    def path(self, stream: str, leaf: bytes) -> Path:
        """From the stream's leaf to the root. KeyError when it is not there."""
        self._refresh()
        number = _bucket(stream)
        bucket = self._buckets.get(number, [])
        return _path(_levels(bucket), self._place(bucket, leaf)) + _path(self._levels, number)

    def _place(self, bucket: list[bytes], leaf: bytes) -> int:
        place = bisect_left(bucket, leaf)
        if place == len(bucket) or bucket[place] != leaf:
            raise KeyError(leaf.hex())
        return place

    def _refresh(self) -> None:
        changed = self._stale
        for number in changed:
            self._levels[0][number] = _levels(self._buckets[number])[-1][0]
        for below, above in pairwise(self._levels):
            changed = {place // 2 for place in changed}
            for place in changed:
                above[place] = node(below[2 * place], below[2 * place + 1])
        self._stale.clear()


def _bucket(stream: str) -> int:
    return zlib.crc32(stream.encode()) % BUCKETS


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """The leaves, and each level above them up to the single root; who has no neighbour moves up as it is."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        row = levels[-1]
        above = [node(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        levels.append(above + row[len(above) * 2 :])
    return levels


@cache
def _without_streams() -> list[list[bytes]]:
    """The same for every tree that begins."""
    return _levels([EMPTY] * BUCKETS)


def _path(levels: list[list[bytes]], place: int) -> Path:
    path: Path = []
    for row in levels[:-1]:
        other = place ^ 1
        if other < len(row):
            path.append((LEFT if other < place else RIGHT, row[other]))
        place //= 2
    return path
