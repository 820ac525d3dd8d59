"""Rows of the app into the spool: new ones are mapped and queued, known ones compared."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import structlog

from connectors.checker import Checker
from connectors.database import Database, Rows
from connectors.doubled_keys import ONE_IS_JOINED, ONE_IS_THERE, STANDS_TWICE, DoubledKeys, another_row
from connectors.entries import Entry, Seen
from connectors.mapping import ComplaintMapping, Row
from connectors.national_ids import without_national_id
from connectors.odd_texts import OddTexts, first_of
from connectors.outbox import FINAL, Outbox
from connectors.photos import PHOTO_LEFT
from connectors.source import RowReader, Source
from connectors.spool import Spool, as_bytes
from connectors.values import RowHeld, Value, clean_text, raw_text
from connectors.wording import in_columns

log = structlog.get_logger("simpul-connector")
Route = Callable[[dict[str, Any]], list[str]]
REFUSED = "row refused; the others go on"


@dataclass(frozen=True)
class Met:
    """A row as it was read: under which reference, its key as the database gave it and as text, its hash."""

    reference: str
    key: Value
    number: str
    row: Row
    row_hash: bytes


@dataclass
class Intake:
    """Takes pages of rows. A page and the cursor behind it are one commit of the spool."""

    spool: Spool
    outbox: Outbox
    mapping: ComplaintMapping
    checker: Checker
    source: Source
    route: Route
    now: Callable[[], datetime]
    fingerprint: bytes
    doubled: DoubledKeys
    _odd: OddTexts = field(default_factory=OddTexts, init=False)

    def meet(self, rows: Rows, key: str) -> list[Met]:
        """The rows of one page, in their order."""
        prefix, columns = self.source.reference_prefix, self.mapping.columns()
        return [
            Met(
                prefix + clean_text(row[key])[0],
                row[key],
                raw_text(row[key]),
                row,
                self.spool.keyed_hash(as_bytes([row[name] for name in columns])),
            )
            for row in rows
        ]

    async def ask(self, page: list[Met]) -> None:
        """Where a row is not as it was known, or its key stands on the page twice, the database says of how
        many rows it is."""
        known = self.outbox.find([met.reference for met in page])
        counts = Counter(met.number for met in page)
        unsure = {}
        for met in page:
            entry = known.get(met.reference)
            changed = entry is not None and entry.row_hash != met.row_hash and entry.source_key == met.number
            if changed or (met.number and counts[met.number] > 1):
                unsure[met.number] = met.key, met.row_hash
        await self.doubled.ask(unsure)

    def take(self, page: list[Met]) -> int:
        """Spools what is new or changed of one page; returns how many complaints were queued."""
        self.doubled.note_page(met.number for met in page)
        names = [met.reference for met in page]
        known = self.outbox.find([*names, *map(another_row, names)])
        holders = {name: entry.source_key for name, entry in known.items()}
        queued, self._odd = 0, OddTexts()
        with self.spool.transaction():
            for met in page:
                entry = known.get(met.reference)
                if met.number in self.doubled:
                    self._refuse_doubled(met, known)
                    continue
                if entry is not None and _was_cut(entry, met.number, met.row_hash):
                    self.outbox.mend_key(met.reference, met.number)
                    holders[met.reference] = met.number
                holder = holders.setdefault(met.reference, met.number)
                if holder != met.number:
                    self._refuse_twin(met.number, holder, met.row_hash)
                    continue
                if entry is not None and entry.row_hash == met.row_hash:
                    self._end_doubling(met, known)
                queued += self._take_row(met.number, met.reference, met.row, entry, met.row_hash)
        self._say_odd()
        return queued

    def _refuse_doubled(self, met: Met, known: dict[str, Entry]) -> None:
        """None of the rows of one key is sent; where the hub may have one, the others are listed beside it.
        Once the key stands in one row, that one is mapped anew."""
        entry = known.get(met.reference)
        is_there = entry is not None and (entry.state in FINAL or bool(entry.attempted))
        beside = ONE_IS_JOINED if self.doubled.is_of_the_join(met.number) else ONE_IS_THERE
        name, reason = (another_row(met.reference), beside) if is_there else (met.reference, STANDS_TWICE)
        listed = known.get(name)
        if listed is not None and (listed.state, listed.reason) == ("refused", reason):
            return
        first_seen = listed.first_seen if listed else self.now().isoformat()
        self.outbox.refuse_here(Seen(name, met.number, met.row_hash, b"", first_seen), reason)
        known |= self.outbox.find([name])
        log.warning(REFUSED, reference=without_national_id(name), reason=reason)

    def _end_doubling(self, met: Met, known: dict[str, Entry]) -> None:
        """The row that the hub has is the only one with its key again."""
        name = another_row(met.reference)
        if name in known:
            self.outbox.forget_refused(name)

    def _say_odd(self) -> None:
        """Once a page and column, what its rows hold that is not quite text."""
        for event, found in (
            ("texts hold bytes that are no UTF-8; they go as U+FFFD", self._odd.lost),
            ("control characters were taken out of texts", self._odd.removed),
        ):
            for column, rows in found.items():
                log.warning(event, column=column, count=len(rows), rows=first_of(rows))

    def _refuse_twin(self, number: str, holder: str, row_hash: bytes) -> None:
        """A second row with the same reference; it is listed by its key as it stands in the app."""
        name = self.source.reference_prefix + repr(number)
        entry = self.outbox.find([name]).get(name)
        if entry is not None and not self._needs_mapping(entry, row_hash):
            return
        first_seen = entry.first_seen if entry else self.now().isoformat()
        reason = (
            f"its key differs from that of another row ({holder!r}) by blanks or control characters only; "
            "two complaints cannot share one reference: change the key in the app"
        )
        self.outbox.refuse_here(Seen(name, number, row_hash, self.fingerprint, first_seen), reason)
        log.warning(REFUSED, reference=without_national_id(name), reason=reason)

    def _take_row(self, number: str, reference: str, row: Row, entry: Entry | None, row_hash: bytes) -> bool:
        if entry is not None and not self._needs_mapping(entry, row_hash):
            return False
        first_seen = entry.first_seen if entry else self.now().isoformat()
        seen = Seen(reference, number, row_hash, self.fingerprint, first_seen)
        shown = without_national_id(reference)
        self._odd.look(shown, row, self.mapping.columns())
        try:
            mapped = self.mapping.map(row, reference, datetime.fromisoformat(first_seen))
        except RowHeld as held:
            self.outbox.hold(seen, str(held))
            log.warning("row held; the others go on", reference=shown, reason=str(held))
            return False
        self._odd.take_out(shown, mapped.removed)
        flaws = in_columns(self.checker.flaws(mapped.document), self.mapping, row)
        if flaws:
            reason = "; ".join(f"{flaw.pointer}: {flaw.detail}" for flaw in flaws)
            self.outbox.refuse_here(seen, reason)
            log.warning(REFUSED, reference=shown, reason=reason)
            return False
        photos = [{"path": str(photo.path), **photo.reference()} for photo in mapped.photos]
        self.outbox.queue(seen, orjson.dumps(mapped.document), photos, self.route(mapped.document))
        if mapped.unsent:
            names = "; ".join(map(str, mapped.unsent))
            log.warning(PHOTO_LEFT, reference=reference, photos=names)
        return True

    def _needs_mapping(self, entry: Entry, row_hash: bytes) -> bool:
        """A known row is mapped again only while the hub cannot have it."""
        same_row = entry.row_hash == row_hash
        if entry.state in FINAL:
            if not same_row and not entry.changed_later:
                self.outbox.note_change(entry.reference, row_hash)
                log.info(
                    "row changed after the hub had it; the hub keeps what it was told",
                    reference=entry.reference,
                )
            return False
        if entry.state == "pending" and entry.attempted:
            return False
        return not (same_row and entry.mapped_by == self.fingerprint)


def _was_cut(entry: Entry, number: str, row_hash: bytes) -> bool:
    """Whether an older connector kept this very row's key without its blanks."""
    cut = entry.source_key != number and entry.source_key == clean_text(number)[0]
    return cut and entry.row_hash == row_hash


class NewRows:
    """Follows the cursor, reading the last `window` rows again each time: rows of slower transactions get
    lower numbers and appear later. What stays away longer is found by the comparison of all rows."""

    def __init__(self, database: Database, reader: RowReader, intake: Intake) -> None:
        self._database, self._reader, self._intake = database, reader, intake
        self._at: Any = None
        self._recent: deque[Any] = deque(maxlen=intake.source.window + 1)

    async def step(self) -> bool:
        """One page; True when more is there at once."""
        source, spool = self._intake.source, self._intake.spool
        if self._intake.outbox.count_waiting() >= source.spool_limit:
            return False
        if self._at is None:
            self._at = orjson.loads(spool.get("cursor")) if spool.get("cursor") else source.start_after
            self._recent.clear()
        rows = await self._database.read(lambda session: self._reader.page(session, self._at, source.page))
        page = self._intake.meet(rows, self._reader.key)
        await self._intake.ask(page)
        with spool.transaction():
            self._intake.take(page)
            self._recent.extend(row[self._reader.cursor] for row in rows)
            if len(self._recent) == self._recent.maxlen:
                spool.put("cursor", orjson.dumps(self._recent[0], default=str).decode())
        more = len(rows) == source.page
        self._at = rows[-1][self._reader.cursor] if more else None
        return more


class Rescan:
    """Compares every row with what the spool knows of it, a page at a time, for apps without `updated_at`."""

    def __init__(self, database: Database, reader: RowReader, intake: Intake) -> None:
        self._database, self._reader, self._intake = database, reader, intake

    def is_due_now(self) -> bool:
        """After a change of the mapping, held and refused rows get their chance without waiting, and what
        waits is mapped anew; so are those that a restored hub lacks."""
        spool, present = self._intake.spool, self._intake.fingerprint
        if spool.get("reread"):
            return True
        rescans = self._intake.source.rescan_every_s > 0
        return spool.get("mapped_by") != present.hex() and (
            rescans or self._intake.outbox.waits_otherwise(present)
        )

    async def step(self) -> bool:
        """One page; False when the last row was compared. Only what the present mapping made counts against
        the limit: the rest waits for this comparison."""
        source, spool = self._intake.source, self._intake.spool
        if self._intake.outbox.count_waiting(self._intake.fingerprint) >= source.spool_limit:
            return True
        stored = spool.get("rescan_at")
        after = orjson.loads(stored) if stored else source.start_after
        if not stored:
            self._intake.doubled.ask_again()
        rows = await self._database.read(lambda session: self._reader.page(session, after, source.page))
        page = self._intake.meet(rows, self._reader.key)
        await self._intake.ask(page)
        if spool.get("rescan_at") != stored:
            return True  # sent back to the first row meanwhile
        more = len(rows) == source.page
        with spool.transaction():
            self._intake.take(page)
            spool.put(
                "rescan_at", orjson.dumps(rows[-1][self._reader.cursor], default=str).decode() if more else ""
            )
            if not more:
                spool.put("mapped_by", self._intake.fingerprint.hex())
                self._end_rereading()
        return more

    def _end_rereading(self) -> None:
        if not self._intake.spool.get("reread"):
            return
        self._intake.spool.put("reread", "")
        absent = self._intake.outbox.still_lost()
        if absent:
            log.warning("complaints that the hub lost have no row here any more; see check", count=absent)
