"""What the master key wraps, as rows: the keys of streams (the hub's own among them), and of files that no
case names yet. Read and replaced in bounded batches when the master key is rotated."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hub.ports.sealing import SealBroken, WrappedKey
from hub.store.dialect import Engine

AT_ONCE: Final = 500
"""Rows of one transaction: some ten milliseconds, for which a hub beside it waits."""

Rewrap = Callable[[WrappedKey], WrappedKey]


@dataclass(frozen=True, slots=True)
class _Place:
    """One table. `key` is its primary key; `stream` names the wrap that a row of that key holds."""

    table: str
    key: tuple[str, ...]
    stream: Callable[..., str]


STREAMS: Final = _Place("stream_keys", ("stream",), lambda stream: str(stream))
UPLOADS: Final = _Place(
    "files", ("sha256", "agency"), lambda sha256, agency: f"uploader:{agency}/file:{sha256}"
)
_PLACES: Final = (STREAMS, UPLOADS)


class WrappedKeys:
    """Every row that the master key wraps; none is a projection of the log."""

    def __init__(self, store: Engine) -> None:
        self._store = store
        self.broken: set[str] = set()
        """The streams whose keys could not be opened, and were left as they are."""

    def generations(self) -> set[int]:
        """The generations of the master key under which something is wrapped now. Reads every row."""
        with self._store.connection() as db:
            return {
                int(row[0])
                for place in _PLACES
                for row in db.execute(
                    f"SELECT DISTINCT generation FROM {place.table} WHERE wrapped IS NOT NULL"
                ).fetchall()
            }

    def rewrap(self, current: int, rewrap: Rewrap) -> Iterator[int]:
        """Replaces whatever is wrapped under another generation than `current`, batch by batch, each durable
        when its size is given. A row that is erased or replaced meanwhile is left as it is."""
        for place in _PLACES:
            yield from self._rewrap(place, current, rewrap)

    def _rewrap(self, place: _Place, current: int, rewrap: Rewrap) -> Iterator[int]:
        columns, marks = ", ".join(place.key), ", ".join("?" for _ in place.key)
        page = (
            f"SELECT {columns}, generation, wrapped FROM {place.table} WHERE wrapped IS NOT NULL "
            f"AND generation <> ? AND ({columns}) > ({marks}) ORDER BY {columns} LIMIT {AT_ONCE}"
        )
        after: tuple[Any, ...] = ("",) * len(place.key)
        while True:
            with self._store.connection() as db:
                rows = [tuple(row) for row in db.execute(page, (current, *after)).fetchall()]
            if not rows:
                return
            after = rows[-1][:-2]
            changed = []
            for *key, generation, wrapped in rows:
                old = WrappedKey(place.stream(*key), generation, wrapped)
                try:
                    made = rewrap(old)
                except SealBroken:
                    self.broken.add(old.stream)
                    continue
                changed.append((made.generation, made.wrapped, *key, generation, wrapped))
            yield self._replace(place, changed)

    def _replace(self, place: _Place, rows: list[tuple[Any, ...]]) -> int:
        named = " AND ".join(f"{column} = ?" for column in (*place.key, "generation", "wrapped"))
        statement = f"UPDATE {place.table} SET generation = ?, wrapped = ? WHERE {named}"
        with self._store.writing() as db:
            return sum(int(db.execute(statement, row).rowcount) for row in rows)
