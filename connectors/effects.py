"""Configured statements that take effect once in another program's database, without a table of ours.

An INSERT is guarded by `already_written`, asked in the same transaction just before: a row of it that belongs
to no earlier effect (written.py) means that it is there. Everything else (UPDATE) must be harmless when
repeated and is always run. So a crash between two statements, which MyISAM tables keep half done, is healed
by running all again. After the writing `already_written` is asked once more: a question that does not find
the row it guards would write it twice one day.
"""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from connectors.database import Session
from connectors.dialects.base import parameters_in
from connectors.errors import ConfigRefused, StatementRefused
from connectors.options import option
from connectors.statements import check_select, check_single, has_word, parameters_of_where, verb

_HARMLESS = ("UPDATE", "DELETE")
_ONE_ROW = re.compile(r"\b(LIMIT|FETCH|DISTINCT|EXISTS|GROUP|COUNT|MIN|MAX)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """A statement with a guard of its own, where one `already_written` cannot speak for all."""

    statement: str = option(reason="the statement, with :name parameters")
    already_written: str = option(reason="a query that gives a row when the statement took effect before")


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Statements, in order, and the query that tells whether their INSERT was done before."""

    statements: list[str | Guarded] = option(reason="what is written, in this order; :name marks a parameter")
    already_written: str = option("", reason="a query that gives a row when the INSERT took effect before")

    def guarded(self) -> list[tuple[str, str]]:
        """Each statement with its guard; an empty guard means: run always."""
        pairs = []
        for item in self.statements:
            if isinstance(item, Guarded):
                pairs.append((item.statement, item.already_written))
            else:
                pairs.append((item, "" if _is_harmless(item) else self.already_written))
        return pairs


def check_picks(
    effect: Effect, key: str, known: Sequence[str], one: Set[str], others: str, remedy: str
) -> None:
    """`check_effect`, and what one key alone cannot show: a statement must pick its rows by one of the
    parameters `one`, or it is refused as one of `others`."""
    check_effect(effect, key, known)
    for statement, guard in effect.guarded():
        if not guard and not parameters_of_where(statement) & one:
            raise ConfigRefused(f"{key}.statements", f"has an {verb(statement)} of {others}", remedy)


def check_effect(effect: Effect, key: str, known: Sequence[str]) -> None:
    """Refuses an effect that could happen twice, and parameters that do not exist."""
    if not effect.statements:
        raise ConfigRefused(f"{key}.statements", "is empty", "name at least one statement")
    sharing = [item for item in effect.statements if isinstance(item, str) and not _is_harmless(item)]
    if sharing and not effect.already_written:
        raise ConfigRefused(f"{key}.already_written", "is missing", "without it an INSERT could happen twice")
    if len(sharing) > 1:
        remedy = "write the others as { statement = ..., already_written = ... }"
        raise ConfigRefused(f"{key}.statements", "has several INSERTs under one already_written", remedy)
    for statement, guard in effect.guarded():
        _check_parameters(key, known, statement, guard)
        check_single(f"{key}.statements", statement)
        if guard:
            check_select(f"{key}.already_written", guard)
        elif not _is_harmless(statement):
            raise ConfigRefused(
                f"{key}.statements", "has an INSERT without already_written", "add that query"
            )
        if _is_harmless(statement) and not parameters_of_where(statement):
            remedy = "pick the row, such as WHERE id = :key"
            raise ConfigRefused(f"{key}.statements", f"has an {verb(statement)} of every row", remedy)


def check_guards(effect: Effect, key: str, of_one: set[str]) -> None:
    """Two events in the same words are told apart by how many rows the guard gives. `of_one`: parameters in
    which two events differ for certain."""
    for _, guard in effect.guarded():
        word = has_word(guard, _ONE_ROW)
        if word and not parameters_in(guard) & of_one:
            remedy = "it must give a row for each time it was written: SELECT 1 FROM ... WHERE ..."
            raise ConfigRefused(f"{key}.already_written", f"holds {word.upper()}", remedy)


def _check_parameters(key: str, known: Sequence[str], *texts: str) -> None:
    for text in texts:
        unknown = parameters_in(text) - set(known)
        if unknown:
            raise ConfigRefused(
                key, f":{min(unknown)} is no parameter here", f"known: {', '.join(dict.fromkeys(known))}"
            )


@dataclass
class Outcome:
    """What became of an effect: how many statements have a guard and how many of those were executed, how
    many were executed without one, and how many UPDATEs found no row."""

    guarded: int = 0
    fresh: int = 0
    repeated: int = 0
    missed: int = 0
    blind: bool = False

    @property
    def wrote(self) -> bool:
        """Whether it came about now; an effect that was found there was not written now."""
        return self.fresh > 0 if self.guarded else self.repeated > self.missed

    def note(self, key: str = "") -> str:
        """For a person, mostly empty."""
        notes = []
        if self.blind:
            notes.append(
                "written once, but already_written does not find it: mend that query before it happens twice"
            )
        if self.missed:
            notes.append(f"an UPDATE found no row{f' with the key {key!r}' if key else ''}; was it deleted?")
        return "; ".join(notes)


def apply_effect(session: Session, effect: Effect, parameters: Mapping[str, Any]) -> str:
    """Makes the effect once. Returns a note for a person, mostly empty; raises StatementRefused."""
    return bring_about(session, effect, parameters, {}).note()


def bring_about(
    session: Session, effect: Effect, parameters: Mapping[str, Any], before: Mapping[str, int]
) -> Outcome:
    """Makes the effect once; raises StatementRefused. `before`: guard -> how many of the rows that it gives
    are of earlier effects about which it asks in the same words; none where it is not named."""
    outcome = Outcome()
    session.begin()
    try:
        asked: dict[str, int] = {}
        for statement, guard in effect.guarded():
            outcome.guarded += bool(guard)
            if guard:
                found = count_rows(session, guard, parameters)
                if found > before.get(guard, 0):
                    continue
                asked[guard] = found
            changed = session.execute(statement, parameters)
            outcome.fresh += bool(guard)
            outcome.repeated += not guard
            outcome.missed += changed == 0 and verb(statement) == "UPDATE"
        outcome.blind = any(count_rows(session, guard, parameters) <= found for guard, found in asked.items())
    except BaseException:
        session.rollback()
        raise
    if outcome.blind:
        _undo(session)
    else:
        session.commit()
    return outcome


def count_rows(session: Session, guard: str, parameters: Mapping[str, Any]) -> int:
    """How many rows the guard gives now."""
    return len(session.tuples(guard, parameters))


def _undo(session: Session) -> None:
    """The guard does not see what it guards (a column cuts the text, or another question is asked). Returns
    where the row stays all the same."""
    if session.rollback():
        raise StatementRefused(
            "already_written does not find the row just written, so it was taken back; "
            "compare what identifies the row, and see that the column holds the whole text"
        )


def _is_harmless(statement: str) -> bool:
    return verb(statement) in _HARMLESS
