"""The part of `check` that compares what the configuration writes with what its columns take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from connectors.database import Database, Session
from connectors.dialects.base import Column
from connectors.report import Report
from connectors.statements import column_given, column_set_to
from connectors.write_back import StatusBack, WriteBack

_NUMBER = re.compile(
    r"(tinyint|smallint|mediumint|int|integer|bigint|decimal|numeric|float|double|real)\b", re.IGNORECASE
)
_EVERY_SIGN = ("utf8mb4", "utf16", "utf16le", "utf32", "gb18030", "binary")


async def check_values(back: WriteBack, database: Database, report: Report) -> None:
    """Where the statements say which column gets :status or a text, and its type is known."""
    await _check_texts(back, database, report)
    if back.status is None:
        return
    texts = [back.status.statement, *(text for text, _ in (back.answer.guarded() if back.answer else ()))]
    for target in dict.fromkeys(column_set_to(text, "status") for text in texts):
        column = await database.read(partial(_column, target=target)) if target else None
        if target and column:
            for fault in _faults(back.status, ".".join(target), column):
                report.wrong(fault)


def _faults(status: StatusBack, name: str, column: Column) -> Iterator[str]:
    """Each word that the column does not take. Not every server refuses it: some write 0 instead."""
    known = None if column.listed is None else {_compared(value) for value in column.listed}
    for word in dict.fromkeys(status.values.values()):
        if known is not None and _compared(word) not in known:
            taken = ", ".join(map(repr, column.listed or ()))
            yield f"{status.line_of(word)}: the column {name} takes only {taken}"
        if _NUMBER.match(column.kind) and not _is_number(word):
            remedy = 'write the app\'s own number in quotes, such as "1"'
            yield f"{status.line_of(word)}: the column {name} ({column.kind}) takes numbers only; {remedy}"


async def _check_texts(back: WriteBack, database: Database, report: Report) -> None:
    """Texts come with every sign that people write, such as emoji."""
    for section, effect, parameters in (
        ("[write_back.answer]", back.answer, ("answer", "text")),
        ("[write_back.message]", back.message, ("message",)),
    ):
        statements = [text for text, _ in effect.guarded()] if effect else []
        targets = [column_given(text, parameter) for text in statements for parameter in parameters]
        for target in dict.fromkeys(targets):
            column = await database.read(partial(_column, target=target)) if target else None
            if target and column and column.charset and column.charset not in _EVERY_SIGN:
                report.note(
                    f"{section}: the column {'.'.join(target)} is {column.charset} and cannot hold each sign "
                    "of a text (emoji); such a text is refused or loses them, until the column is utf8mb4"
                )


def _column(session: Session, target: tuple[str, str]) -> Column | None:
    return session.column(*target)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _compared(value: str) -> str:
    """As the usual collations compare, blanks at the end and capitals aside."""
    return value.rstrip(" ").casefold()
