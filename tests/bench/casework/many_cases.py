"""A hub with very many cases in a minute or two: the rows of a real case, cast again and again with another
id and another deadline. Of a case the log, keys and identity are left out: no clock reads them until it is
due, and a list only looks for names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg

from hub.domain.case import Case
from hub.ports.clock import rfc3339
from hub.store import case_tables
from hub.store.rows import agency_rows, case_from_row, case_row
from hub.store.sqlite.store import connect

Row = tuple[Any, ...]
CHUNK: Final = 20_000
LATE_OF: Final = 10
"""Of the first agency's cases one in so many is overdue, …"""
FEW: Final = 60
"""… of the second agency's so many in all, whatever the number of its cases, …"""
SECOND_OF: Final = 5
"""… and of all cases one in so many is the second agency's."""
WAKES_FROM: Final = timedelta(days=60)
WAKES_OVER_DAYS: Final = 300
_PLACE: Final = "2999-12-31T16:59:59.999Z"
_CACHE_KIB: Final = 512 * 1024
_STATE, _WAKE = map(case_tables.cases.columns.keys().index, ("state", "next_wake"))
_OVERDUE = case_tables.case_agencies.columns.keys().index("overdue")
_TABLES: Final = {
    table.name: ", ".join(table.columns.keys()) for table in (case_tables.cases, case_tables.case_agencies)
}


@dataclass(frozen=True)
class Mould:
    """The rows of one case, whose follow-up is due at _PLACE."""

    case: Row
    agencies: list[Row]

    @classmethod
    def of(cls, case: Case, *, late: bool) -> Mould:
        """A late one misses the acceptance, and the follow-up still runs: each has a deadline to come."""
        clocks = []
        for clock in case.state.clocks:
            if clock.stage == "follow_up" and not clock.shown_only:
                clock = replace(clock, warned=True, due_at=_PLACE)
            elif clock.stage == "acceptance" and late:
                clock = replace(clock, warned=True, state="missed")
            clocks.append(clock)
        made = Case(replace(case.state, clocks=tuple(clocks)), case.texts)
        row, members = case_row(made), agency_rows(made)
        if row[_WAKE] != _PLACE or any(member[_OVERDUE] is not late for member in members):
            raise RuntimeError(
                f"the mould is none: it wakes at {row[_WAKE]}, overdue is {members[0][_OVERDUE]}"
            )
        return cls(row, members)

    def cast(self, number: int, wake: str) -> tuple[Row, list[Row]]:
        case_id, tracking = _id(number), f"B{number:011d}"
        old_id, old_tracking, *facts = self.case
        row = [case_id, tracking, *facts]
        state = row[_STATE].replace(old_id.encode(), case_id.encode())
        state = state.replace(old_tracking.encode(), tracking.encode())
        row[_STATE], row[_WAKE] = state.replace(_PLACE.encode(), wake.encode()), wake
        members = [(agency, case_id, *more) for agency, _, *more in self.agencies]
        return tuple(row), members


@dataclass(frozen=True)
class Moulds:
    """Of one agency: a case in time, and one that is overdue."""

    early: Mould
    late: Mould


def _id(number: int) -> str:
    """Rising, as the hub's are, and older than any that it makes now."""
    return f"{0x01800000 + (number >> 16):08x}-{number & 0xFFFF:04x}-7000-8000-000000000000"


def _cast(moulds: tuple[Moulds, Moulds], count: int) -> Iterator[tuple[Row, list[Row]]]:
    """Deadlines fall at the ends of days, as working days make them."""
    first = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + WAKES_FROM
    wakes = [rfc3339(first + timedelta(days=day)) for day in range(WAKES_OVER_DAYS)]
    step = max(1, count // SECOND_OF // FEW)
    for number in range(count):
        nth, second = divmod(number, SECOND_OF)
        if second:
            late, of = number % (LATE_OF + 1) == 0, moulds[0]
        else:
            late, of = nth % step == 0 and nth // step < FEW, moulds[1]
        yield (of.late if late else of.early).cast(number, wakes[number * 7 % WAKES_OVER_DAYS])


def _chunks(moulds: tuple[Moulds, Moulds], count: int) -> Iterator[dict[str, list[Row]]]:
    """Rows by table."""
    cases: list[Row] = []
    members: list[Row] = []
    for row, some in _cast(moulds, count):
        cases.append(row)
        members += some
        if len(cases) == CHUNK:
            yield {"cases": cases, "case_agencies": members}
            cases, members = [], []
    yield {"cases": cases, "case_agencies": members}


def fill_sqlite(path: Path, kept: tuple[tuple[str, str], ...], count: int) -> None:
    """`kept`: of each agency the ids of two of its forwarded cases, one accepted and one that waits for it.
    The hub must not run."""
    with closing(connect(path, cache_kib=_CACHE_KIB)) as database:
        moulds = _moulds(database, kept)
        for pragma in ("synchronous = OFF", "wal_autocheckpoint = 4000"):
            database.execute(f"PRAGMA {pragma}").fetchall()
        for chunk in _chunks(moulds, count):
            database.execute("BEGIN IMMEDIATE")
            for table, rows in chunk.items():
                places = ", ".join("?" * len(rows[0])) if rows else ""
                if rows:
                    database.executemany(f"INSERT INTO {table} ({_TABLES[table]}) VALUES ({places})", rows)
            database.execute("COMMIT")
        database.execute("PRAGMA synchronous = FULL").fetchall()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def fill_postgres(url: str, kept: tuple[tuple[str, str], ...], count: int) -> None:
    """The same by COPY."""
    with psycopg.connect(url) as database:
        moulds = _moulds(database, kept)
        for chunk in _chunks(moulds, count):
            for table, rows in chunk.items():
                with database.cursor().copy(f"COPY {table} ({_TABLES[table]}) FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            database.commit()


def _moulds(database: Any, kept: tuple[tuple[str, str], ...]) -> tuple[Moulds, Moulds]:
    place = "?" if isinstance(database, sqlite3.Connection) else "%s"

    def case(case_id: str) -> Case:
        query = f"SELECT state, texts FROM cases WHERE id = {place}"
        return case_from_row(*database.execute(query, (case_id,)).fetchone())

    first, second = (
        Moulds(Mould.of(case(early), late=False), Mould.of(case(late), late=True)) for early, late in kept
    )
    return first, second
