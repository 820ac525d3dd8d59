"""The errors of MySQL and MariaDB in plain words, and what of the server's own words may be shown."""

from __future__ import annotations

import re

from connectors.dialects.base import (
    LOOK_UP,
    NO_COLUMN,
    NO_ROW_MEANT,
    NO_TABLE,
    NOT_A_NUMBER,
    NOT_TAKEN,
    NOT_UNDERSTOOD,
)

_CANNOT_HOLD = "the column's character set cannot hold this text; make it utf8mb4"
_LOST = "the server ended the connection, or took too long"
_WORDS = {
    1044: "this user may not use this database; GRANT it",
    1045: "the server refuses this user and password",
    1049: "there is no database of this name",
    1054: NO_COLUMN,
    1064: NOT_UNDERSTOOD,
    1142: "this user lacks a right on the table, or there is no table of this name, of which the server says "
    "the same; compare the name, then GRANT the right",
    1143: "this user lacks a right on the column, or the table has no such column, of which the server says "
    "the same; compare the column's name, then GRANT the right",
    1146: NO_TABLE,
    1265: NOT_TAKEN,
    1267: "the text has signs that the column with which it is compared cannot hold, or the two sort "
    "differently; make it utf8mb4",
    1366: _CANNOT_HOLD,
    1406: "the column is too short for this text; make it longer, or TEXT",
    1452: NO_ROW_MEANT,
    1698: "the server refuses this user and password",
    2003: "nothing answers at this address",
    2006: _LOST,
    2013: _LOST,
}
_WRONG_VALUE, _NOBODY_THERE = (1292, 1366), 2003
_SHOWN = (1044, 1049, 1054, 1142, 1143, 1146, 1265, 1267, 1452)
"""Numbers of which the server names users, columns and tables and never a row's value."""
_COLUMN = re.compile(r".* for (column (?:`[^`]*`(?:\.`[^`]*`)*|'[^']*')) at row \d+\Z", re.DOTALL)
"""`Incorrect integer value: '...' for column `a`.`b`.`c` at row 1`: what stands behind the value."""
_NOT_MYSQL = (
    "what listens at this address does not greet as MySQL or MariaDB do; it is another program, or hangs"
)


def words_of(code: int, error: Exception) -> str:
    """What it means and what to do."""
    if is_not_taken(code, error) and code in _WRONG_VALUE:
        return NOT_A_NUMBER
    return _WORDS.get(code, f"{LOOK_UP} ({type(error).__name__})")


def unmet(code: int, greeted: bool) -> str:
    """Why no connection came about where nobody, or no MySQL, answers; "" where a server refuses it."""
    if code == _NOBODY_THERE:
        return _WORDS[code]
    return "" if greeted else _NOT_MYSQL


def is_not_taken(code: int, error: Exception) -> bool:
    """Whether the value does not fit the column's type. 1366 says that, and of texts that the column's
    character set lacks signs."""
    if code in _WRONG_VALUE:
        return not _text_of(error).startswith("Incorrect string value") and _column(error) != ""
    return code == 1265


def server_words(code: int, error: Exception) -> str:
    """What the server said, as far as it holds no value."""
    if code in _WRONG_VALUE:
        return _column(error)
    return _text_of(error) if code in _SHOWN else ""


def _column(error: Exception) -> str:
    found = _COLUMN.match(_text_of(error))
    return found[1] if found else ""


def _text_of(error: Exception) -> str:
    return str(error.args[1]) if len(error.args) > 1 else ""
