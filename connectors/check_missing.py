"""The part of `check` that names every configured column which the app's tables do not have, for a database
names one at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from connectors.check_columns import names_statement
from connectors.database import Database, Session
from connectors.errors import StatementRefused
from connectors.mapping import ComplaintMapping
from connectors.report import Report
from connectors.source import Source
from connectors.wording import column_keys

_JOINED = re.compile(
    r"\bJOIN\s+(\w+(?:\.\w+)?)(?:\s+(?:AS\s+)?(?!(?:ON|USING|LEFT|RIGHT|INNER|CROSS|JOIN|NATURAL)\b)(\w+))?",
    re.IGNORECASE,
)


async def check_missing(
    source: Source, mapping: ComplaintMapping, refused: StatementRefused, database: Database, report: Report
) -> None:
    """Says what was refused and, where the configuration names the tables, what else is not there."""
    tables = await _tables(source, database)
    missing = _missing(source, column_keys(mapping), tables)
    told = str(refused)
    report.wrong(told)
    for name, key in missing.items():
        if not told.startswith(f"{key} = {name}: "):
            report.wrong(f"{key} = {name}: there is no such column; mend the column's name")
    if missing:
        for table, names in dict.fromkeys(tables.values()):
            if names:
                report.note(f"{table} has the columns {', '.join(names)}")


Table = tuple[str, tuple[str, ...]]
"""Its name and its columns; none where the database does not tell them."""


async def _tables(source: Source, database: Database) -> dict[str, Table]:
    """Each name by which the configuration calls a table -> the table."""
    if not source.table:
        return {}
    found: dict[str, Table] = {}
    called = [(source.table, ""), *_JOINED.findall(source.join)]
    for table, alias in called:
        columns = (table, await database.read(partial(_columns, table=table)))
        found |= dict.fromkeys((alias,) if alias else (table, table.rpartition(".")[2]), columns)
    return found


def _columns(session: Session, table: str) -> tuple[str, ...]:
    try:
        return tuple(session.names(names_statement(table), {}))
    except Exception as error:
        if session.as_refusal(error) is None:
            raise
        return ()


def _missing(source: Source, keys: Mapping[str, str], tables: Mapping[str, Table]) -> dict[str, str]:
    """Column -> its key, of those that are certainly not there."""
    anywhere = {name.lower() for _, names in tables.values() for name in names}
    surely = bool(tables) and all(names for _, names in tables.values())
    found = {}
    for name, key in keys.items():
        table, _, column = name.rpartition(".")
        known = {each.lower() for each in tables[table][1]} if table in tables else anywhere
        if (tables[table][1] if table in tables else surely and not table) and column.lower() not in known:
            found[name] = key
    for setting in ("key", "cursor"):  # these are the first table's
        name = getattr(source, setting)
        own = {each.lower() for each in tables[source.table][1]} if source.table in tables else set()
        if name and "." not in name and own and name.lower() not in own:
            found[name] = f"[source] {setting}"
    return found
