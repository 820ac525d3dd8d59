"""All that a batch looks up, asked in one statement: a round trip costs more than most of the questions.

Their rows have different columns. As parts of one UNION ALL each puts its own where those of their type
stand, behind the number of the question."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from hub.ports.effects import Found, Wanted
from hub.store import lookups
from hub.store.dialect import Row
from hub.store.lookups import LookUps
from hub.store.postgres.arrays import blobs
from hub.store.postgres.dialect import POSTGRES
from hub.store.statements import REMEMBERED, Statements

POSTGRES_SQL: Final = Statements(POSTGRES)
SELECT_REMEMBERED: Final = (
    f"SELECT {REMEMBERED} FROM unnest(?::bytea[]) AS wanted (one) "  # noqa: S608
    "JOIN idempotency AS i ON i.key = wanted.one"
)
T, B, N = "text", "bytea", "bigint"
PLACES: Final = {T: (1, 2, 3, 4), B: (5, 6), N: (7,)}
"""Where a row of the UNION has columns of each type."""


class Question(NamedTuple):
    about: str
    """The field of Wanted; where it is empty, nothing is asked."""
    statement: str
    columns: tuple[str, ...]
    packed: Callable[[Any], tuple[Any, ...]] = POSTGRES.of_texts

    @property
    def places(self) -> tuple[int, ...]:
        """Of its columns, in a row of the UNION."""
        free = {kind: iter(places) for kind, places in PLACES.items()}
        return tuple(next(free[kind]) for kind in self.columns)


REMEMBERED_ROWS, REFERENCES, CASES, HEADS, KEYS, IDENTITIES, AGENCIES, CLIENTS, OFFICERS = range(9)
QUESTIONS: Final = (
    Question("remembered", SELECT_REMEMBERED, (B, B, N, T, T, T), lambda values: (blobs(values),)),
    Question("references", POSTGRES_SQL.references, (T, T, T, T), POSTGRES.of_pairs),
    Question("cases", POSTGRES_SQL.cases, (T, B, B)),
    Question("heads", POSTGRES_SQL.heads, (T, N, B)),
    Question("keys", POSTGRES_SQL.keys, (T, N, B)),
    Question("identities", POSTGRES_SQL.identities, (T, B)),
    Question("agencies", POSTGRES_SQL.agencies, (T, B)),
    Question("clients", POSTGRES_SQL.active_clients, (T,)),
    Question("clients", POSTGRES_SQL.active_officers, (T, T)),
)
"""In the order of the numbers above."""
READ: Final = [itemgetter(*question.places) for question in QUESTIONS]


@cache
def together(numbers: tuple[int, ...]) -> str:
    """The statement that asks these questions."""
    return " UNION ALL ".join(_part(number) for number in numbers)


def _part(number: int) -> str:
    question = QUESTIONS[number]
    taken = {place: f"c{count}" for count, place in enumerate(question.places)}
    kinds = {place: kind for kind, places in PLACES.items() for place in places}
    columns = ", ".join(taken.get(place, f"NULL::{kinds[place]}") for place in sorted(kinds))
    names = ", ".join(f"c{count}" for count in range(len(question.columns)))
    return f"SELECT {number}, {columns} FROM ({question.statement}) AS q{number} ({names})"  # noqa: S608


class LookUpsTogether(LookUps):
    """One round trip, one snapshot."""

    def look_up(self, wanted: Wanted) -> Found:
        numbers, values = [], list[Any]()
        for number, question in enumerate(QUESTIONS):
            if asked := getattr(wanted, question.about):
                numbers.append(number)
                values += question.packed(asked)
        if not numbers:
            return Found()
        rows: list[list[Row]] = [[] for _ in QUESTIONS]
        for row in self._db.execute(together(tuple(numbers)), values):
            rows[row[0]].append(row)
        return self._answers(wanted, rows)

    def _answers(self, wanted: Wanted, rows: list[list[Row]]) -> Found:
        read = [map(READ[number], found) for number, found in enumerate(rows)]
        active = {row[1] for number in (CLIENTS, OFFICERS) for row in rows[number]}
        return Found(
            lookups.remembered(read[REMEMBERED_ROWS]),
            lookups.references(read[REFERENCES]),
            self._cases(read[CASES]),
            lookups.heads(read[HEADS]),
            lookups.keys(read[KEYS]),
            lookups.identities(read[IDENTITIES]),
            lookups.agencies(read[AGENCIES]),
            set(wanted.clients) - active,
        )
