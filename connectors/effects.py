"""Configured statements that take effect once in another program's database, without a table of ours.

An INSERT is guarded by `already_written`, asked in the same transaction just before; everything else (UPDATE)
must be harmless when repeated and is always run. So a crash between two statements, which MyISAM tables
keep half done, is healed by running all again. After the writing `already_written` is asked once more: a
question that does not find the row it guards would write it twice one day.
"""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.database import Session
from connectors.dialects.base import parameters_in
from connectors.errors import ConfigRefused, StatementRefused
from connectors.options import option

_HARMLESS = ("UPDATE", "DELETE")


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
    for text in [part for pair in effect.guarded() for part in pair]:
        unknown = parameters_in(text) - set(known)
        if unknown:
            raise ConfigRefused(key, f":{min(unknown)} is no parameter here", f"known: {', '.join(known)}")


def apply_effect(session: Session, effect: Effect, parameters: Mapping[str, Any]) -> str:
    """Makes the effect once. Returns a note for a person, mostly empty; raises StatementRefused."""
    session.begin()
    try:
        for statement, guard in effect.guarded():
            if not guard or not _is_written(session, guard, parameters):
                session.execute(statement, parameters)
        unseen = [
            guard for _, guard in effect.guarded() if guard and not _is_written(session, guard, parameters)
        ]
    except BaseException:
        session.rollback()
        raise
    if not unseen:
        session.commit()
        return ""
    return _undo(session)


def _undo(session: Session) -> str:
    """The guard does not see what it guards (a column cuts the text, or another question is asked)."""
    if session.rollback():
        raise StatementRefused(
            "already_written does not find the row just written, so it was taken back; "
            "compare what identifies the row, and see that the column holds the whole text"
        )
    return "written once, but already_written does not find it: mend that query before it happens twice"


def _is_written(session: Session, guard: str, parameters: Mapping[str, Any]) -> bool:
    return bool(session.tuples(guard, parameters))


def _is_harmless(statement: str) -> bool:
    return statement.lstrip().upper().startswith(_HARMLESS)
