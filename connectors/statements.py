"""What a configured SQL statement says by its text alone: how many there are, and what it may touch."""

from __future__ import annotations

import re

from connectors.dialects.base import parameters_in
from connectors.errors import ConfigRefused

# a quoted text, a quoted name, a comment: nothing in them is SQL
_MASKED = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WHERE = re.compile(r"\bWHERE\b", re.IGNORECASE)
_INTO = re.compile(r"\bINTO\b", re.IGNORECASE)
_NAME = r"(?:`[^`]+`|\w+)"
_UPDATE = re.compile(rf"\s*UPDATE\s+({_NAME}(?:\.{_NAME})?)(?:\s+(?:AS\s+)?{_NAME})?\s+SET\s", re.IGNORECASE)
_INSERT = re.compile(
    rf"\s*(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+({_NAME}(?:\.{_NAME})?)\s*\(([^()]*)\)\s*VALUES\s*\(",
    re.IGNORECASE,
)
_SET_TO = rf"(?:{_NAME}\.)?({_NAME})\s*=\s*(:%s)\s*(?=,|;|$|WHERE\b|ORDER\b|LIMIT\b)"


def masked(statement: str) -> str:
    """The statement, as long as before, with blanks where texts, quoted names and comments are."""
    return _MASKED.sub(lambda match: " " * len(match[0]), statement)


def verb(statement: str) -> str:
    """Its first word in capitals: SELECT, INSERT, UPDATE; "" when there is none."""
    words = masked(statement).split(maxsplit=1)
    return words[0].upper() if words else ""


def parameters_of_where(statement: str) -> set[str]:
    """The :name parameters behind the WHERE that stands in no brackets: what picks the rows."""
    at = _where_at(statement)
    return set() if at is None else parameters_in(statement[at:])


def _where_at(statement: str) -> int | None:
    """Where the text behind that WHERE begins."""
    plain = masked(statement)
    for found in _WHERE.finditer(plain):
        before = plain[: found.start()]
        if before.count("(") == before.count(")"):
            return found.end()
    return None


def column_set_to(statement: str, parameter: str) -> tuple[str, str] | None:
    """(table, column) that an UPDATE of one table sets to the bare :parameter; None where its text does not
    say that plainly."""
    update = _UPDATE.match(statement)
    if update is None:
        return None
    plain, until = masked(statement), _where_at(statement) or len(statement)
    for found in re.compile(_SET_TO % parameter, re.IGNORECASE).finditer(statement, update.end(), until):
        if plain[found.start(2)] == ":":  # not inside a text
            return update[1].replace("`", ""), found[1].strip("`")
    return None


def column_given(statement: str, parameter: str) -> tuple[str, str] | None:
    """(table, column) that gets the bare :parameter by an UPDATE, or by an INSERT that names its columns."""
    insert = _INSERT.match(statement)
    if insert is None:
        return column_set_to(statement, parameter)
    names = [name.strip().strip("`") for name in insert[2].split(",")]
    values = _items(statement, insert.end())
    given = [name for name, value in zip(names, values, strict=False) if value.strip() == f":{parameter}"]
    return (insert[1].replace("`", ""), given[0]) if given else None


def _items(statement: str, start: int) -> list[str]:
    """What the commas part from `start` up to the bracket that closes it."""
    plain, depth, begin, items = masked(statement), 0, start, []
    for at in range(start, len(plain)):
        if plain[at] == "," and not depth:
            items.append(statement[begin:at])
            begin = at + 1
        depth += (plain[at] == "(") - (plain[at] == ")")
        if depth < 0:
            return [*items, statement[begin:at]]
    return []


def has_word(statement: str, words: re.Pattern[str]) -> str:
    """The first match outside texts and comments; "" when there is none."""
    found = words.search(masked(statement))
    return found[0] if found else ""


def check_single(key: str, statement: str) -> None:
    """Refuses several statements in one text: only the first would be looked at here."""
    if ";" in masked(statement).rstrip().removesuffix(";"):
        raise ConfigRefused(
            key, "holds several statements", "write one statement, without a semicolon inside"
        )


def check_select(key: str, query: str) -> None:
    """Refuses a question that could change something, and one that asks about nothing in particular."""
    check_single(key, query)
    remedy = "write SELECT 1 FROM ... WHERE ..., which gives a row when the statement took effect"
    if verb(query) != "SELECT" or has_word(query, _INTO):
        raise ConfigRefused(key, "is no SELECT, or one that writes", remedy)
    if not parameters_in(query):
        raise ConfigRefused(key, "names no parameter: one row of anybody would answer it", remedy)


def check_part(key: str, text: str) -> None:
    """Refuses a piece of a statement (source.where, source.join) that would reach out of its place."""
    plain = masked(text)
    depth = 0
    for character in plain:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            break
    if depth != 0:
        raise ConfigRefused(key, "has a bracket without its counterpart", "compare ( and )")
    if any(character in plain for character in "'\"`"):
        raise ConfigRefused(key, "has a quote without its counterpart", "compare the quotation marks")
    if ";" in plain or _holds_comment(text):
        raise ConfigRefused(key, "holds a semicolon or a comment", "write the condition alone")


def _holds_comment(text: str) -> bool:
    return any(match[0].startswith(("--", "/*")) for match in _MASKED.finditer(text))
