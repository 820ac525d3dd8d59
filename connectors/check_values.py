"""The part of `check` that compares the app's words for a status with what its column takes."""

from __future__ import annotations

from functools import partial

from connectors.database import Database, Session
from connectors.report import Report
from connectors.statements import column_set_to
from connectors.write_back import WriteBack


async def check_values(back: WriteBack, database: Database, report: Report) -> None:
    """Where the statements say which column gets :status, and its type lists the values that it takes."""
    if back.status is None:
        return
    texts = [back.status.statement, *(text for text, _ in (back.answer.guarded() if back.answer else ()))]
    for target in dict.fromkeys(column_set_to(text, "status") for text in texts):
        listed = await database.read(partial(_listed, target=target)) if target else None
        if target is None or listed is None:
            continue
        known = {_compared(value) for value in listed}
        column, taken = ".".join(target), ", ".join(map(repr, listed))
        for word in dict.fromkeys(back.status.values.values()):
            if _compared(word) not in known:
                report.wrong(f"{back.status.line_of(word)}: the column {column} takes only {taken}")


def _listed(session: Session, target: tuple[str, str]) -> list[str] | None:
    return session.listed_values(*target)


def _compared(value: str) -> str:
    """As the usual collations compare, blanks at the end and capitals aside."""
    return value.rstrip(" ").casefold()
