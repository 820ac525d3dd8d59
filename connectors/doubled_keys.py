"""Keys that stand in more than one of the rows that are read: two reports under one number.

A later row with a known key may be the same row, changed (its cursor may be the time of the change), or
another citizen's. The database knows; nothing is guessed. What it holds for equal counts as equal, for
[write_back] picks its rows by the same comparison.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from connectors.database import Database, Session
from connectors.errors import ConnectorError
from connectors.source import Source, qualified
from connectors.values import Value, raw_text

log = structlog.get_logger("simpul-connector")
MOST: Final = 1000
"""So many keys are looked for at once; more of them are found as their rows are read."""
_ALL_ROWS: Final = 2_000_000_000
_SPELLINGS: Final = 10 * MOST
REMEDY: Final = "name a column in [source] key that no two rows share, or mend the join; `check` says which"
STANDS_TWICE: Final = (
    f"its key stands in more than one row, and no answer could be told to the right one: {REMEDY}"
)
ONE_IS_THERE: Final = f"the hub has a row with this key, and this is another one: {REMEDY}"
ONE_IS_JOINED: Final = f"the hub has the report with this key, and [source] join gives it twice: {REMEDY}"
MORE_THAN_ONE: Final = (
    "[source] key: more than one row has the key of this report, and what is written would reach each of "
    f"them: {REMEDY}"
)


def another_row(reference: str) -> str:
    """The name under which `check` lists the rows beside the one that the hub has."""
    return f"{reference} (another row)"


def doubled_keys(session: Session, source: Source, most: int, among: Sequence[Value] = ()) -> list[str]:
    """At most `most` keys, in each of their spellings, that stand more than once: of these, or of all. Asks
    the database twice, in bounds; raises what it says."""
    key, rows = _rows(source)
    bounds = {"cursor": source.start_after, "limit": _ALL_ROWS, "most": most}
    picked, named = _is_one_of(key, among)
    counted = f"SELECT {key} {rows}{picked} GROUP BY {key} HAVING COUNT({key}) > 1 ORDER BY {key} LIMIT :most"
    found = [row[0] for row in session.tuples(counted, bounds | named)]
    if not any(isinstance(value, str | bytes) for value in found):
        return [raw_text(value) for value in found]
    picked, named = _is_one_of(key, found)
    spelled = f"SELECT {key} {rows}{picked} LIMIT :most"
    spellings = [row[0] for row in session.tuples(spelled, bounds | named | {"most": _SPELLINGS})]
    return list(dict.fromkeys(map(raw_text, [*found, *spellings])))


def doubled_in_table(session: Session, source: Source, among: Sequence[Value]) -> list[str]:
    """Which of these keys stand more than once in the table by itself, without `source.join`."""
    key = qualified(source.key, source.table)
    picked, named = _is_one_of(key, among)
    statement = f"SELECT {key} FROM {source.table} WHERE 1 = 1{picked} GROUP BY {key} HAVING COUNT({key}) > 1"  # noqa: S608
    return [raw_text(row[0]) for row in session.tuples(statement, named)]


def _rows(source: Source) -> tuple[str, str]:
    """The key, and FROM and WHERE of all rows that are read (checked names, own configuration)."""
    if source.query:
        query = source.query.rstrip().removesuffix(";")
        return f"simpul_rows.{source.key}", f"FROM (\n{query}\n) AS simpul_rows WHERE 1 = 1"
    cursor = qualified(source.cursor or source.key, source.table)
    where = f" AND ({source.where})" if source.where else ""
    rows = f"FROM {source.table} {source.join} WHERE {cursor} > :cursor{where}"
    return qualified(source.key, source.table), rows


def _is_one_of(key: str, values: Sequence[Value]) -> tuple[str, dict[str, Value]]:
    named = {f"key_{number}": value for number, value in enumerate(values)}
    names = ", ".join(f":{name}" for name in named)
    return (f" AND {key} IN ({names})" if named else ""), named


class DoubledKeys:
    """What is known of them while the connector runs. Asked at a start and before each comparison of all
    rows, and of a known key whose row looks otherwise; never at each poll."""

    def __init__(self, source: Source, database: Database | None = None) -> None:
        """Without a database only what stands on one page is known."""
        self._source, self._database = source, database
        self._keys: set[str] = set()
        self._once_in_table: set[str] = set()
        """Of these: the join gives the row of the table more than once."""
        self._single: dict[str, bytes] = {}
        """Key -> how its row looked when it stood once."""
        self._outdated, self._asking, self._told = True, asyncio.Lock(), False

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def is_of_the_join(self, key: str) -> bool:
        """Whether a statement that picks by this key finds one row all the same."""
        return key in self._once_in_table

    def ask_again(self) -> None:
        """Before the next rows: the app may have mended its keys."""
        self._outdated = True

    def note_page(self, keys: Iterable[str]) -> None:
        """A page is one reading: each row of the app is there once."""
        self._keys.update(key for key, count in Counter(keys).items() if key and count > 1)

    def is_open(self, key: str, row_hash: bytes) -> bool:
        """Whether a row that is not as it was known must be asked for."""
        return key not in self._keys and self._single.get(key) != row_hash

    async def ask(self, unsure: Mapping[str, tuple[Value, bytes]]) -> None:
        """`unsure`: key -> the value as the database gave it, and how its row looks. Where the database does
        not answer (it needs too long, or does not take the question), what is known stays."""
        async with self._asking:
            if self._outdated:
                self._outdated = False
                found = await self._find(())
                if found is not None:
                    self._keys = set(found) | (self._keys if len(found) >= MOST else set())
                    self._once_in_table &= self._keys
                    self._single.clear()
            open_ = {key: seen for key, seen in unsure.items() if self.is_open(key, seen[1])}
            if open_:
                self._keys.update(await self._find([value for value, _ in open_.values()]) or ())
                self._single |= {key: look for key, (_, look) in open_.items() if key not in self._keys}

    async def _find(self, among: Sequence[Value]) -> list[str] | None:
        database, source = self._database, self._source
        if database is None:
            return []
        try:
            found = await database.read(partial(doubled_keys, source=source, most=MOST, among=among))
        except ConnectorError as error:
            if not self._told:
                log.warning("whether a key stands twice could not be asked; see check", reason=str(error))
            self._told = True
            return None
        if source.join and found:
            with suppress(ConnectorError):  # a key that is another table's
                of_table = await database.read(partial(doubled_in_table, source=source, among=found))
                self._once_in_table = self._once_in_table - set(of_table) | (set(found) - set(of_table))
        return found
