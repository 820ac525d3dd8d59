"""Writes what deliveries left behind, around whatever the database will never take.

One refused row must not hold up the others, least of all those of other agencies: what is refused is halved
until the culprit stands alone. A cursor is written with the last of its rows, never before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from hub.errors import Overtaken, RowRefused
from hub.ports.deliveries import DeliveryStore, Progress
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

NOWHERE = 0
"""A cursor that moves none: a webhook's never goes back."""


class Saving:
    """`dropped` is told of each row that was given up."""

    def __init__(self, store: DeliveryStore, writer: Writer, dropped: Callable[[], None]) -> None:
        self._store = store
        self._writer = writer
        self._dropped = dropped

    async def save(self, progress: Sequence[Progress]) -> None:
        """In one transaction; in several where something is refused. Raises StoreUnavailable or Unavailable:
        then some of it may be written, and all of it may be written again."""
        try:
            await self._write(progress)
        except RowRefused as refused:
            middle = len(progress) // 2
            if middle:
                await self.save(progress[:middle])
                await self.save(progress[middle:])
            else:
                await self._save_one(progress[0], refused)

    async def _save_one(self, one: Progress, refused: RowRefused) -> None:
        """One agency's, which was refused as a whole: its rows first, its cursor once they are written."""
        if one.rows:
            await self._save_rows(one, refused)
            one = replace(one, rows=())
        try:
            await self._write([one])
        except RowRefused as again:  # the next one carries all that this one does
            log.error("delivery_progress_refused", agency=one.agency, cause=str(again))

    async def _save_rows(self, one: Progress, refused: RowRefused) -> None:
        """Halves `one.rows`, which were refused together."""
        middle = len(one.rows) // 2
        if not middle:
            await self._save_row(one, refused)
            return
        for rows in (one.rows[:middle], one.rows[middle:]):
            half = replace(one, rows=rows, cursor=NOWHERE)
            try:
                await self._write([half])
            except RowRefused as again:
                await self._save_rows(half, again)

    async def _save_row(self, one: Progress, refused: RowRefused) -> None:
        (row,) = one.rows
        if isinstance(refused, Overtaken):  # another process was faster: a second try sees what it made
            try:
                await self._write([replace(one, cursor=NOWHERE)])
                return
            except RowRefused as again:
                refused = again
        log.error("delivery_row_dropped", agency=row.agency, position=row.position, cause=str(refused))
        self._dropped()

    async def _write(self, progress: Sequence[Progress]) -> None:
        await self._writer.run(lambda: self._store.save(progress))
