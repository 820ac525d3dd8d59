"""The part of `check` that looks whether a key names one report, and no person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from connectors.database import Database, Rows
from connectors.doubled_keys import MOST, doubled_in_table, doubled_keys
from connectors.errors import ConnectorError
from connectors.national_ids import holds_national_id, without_national_id
from connectors.report import Report
from connectors.source import Source
from connectors.values import Value, clean_text, raw_text
from connectors.words import many, one_line

SHOWN = 5
_MEND_KEY = (
    "write the table's primary key, or in source.query an expression of several columns, such as "
    "CONCAT(YEAR(tgl), '-', nomor) AS nomor_tahun, by which [write_back] picks its rows too"
)
_MEND_JOIN = "mend the join so that it gives each report once (by its ON, or in source.query by a subquery)"


async def check_keys(source: Source, rows: Rows, database: Database, report: Report) -> set[str]:
    """The keys that stand in more than one row, of all that are read; of `rows` alone where the database does
    not say it."""
    keys = [raw_text(row[source.key]) for row in rows]
    doubled = [key for key, count in Counter(keys).items() if key and count > 1]
    try:
        found = await database.read(partial(doubled_keys, source=source, most=MOST))
        doubled = list(dict.fromkeys([*found, *doubled]))
    except ConnectorError as error:
        report.note(
            f"whether a key stands twice could not be asked of all rows, only of the {len(rows)} looked at: "
            f"{error}; give source.query each column once, and nothing behind its LIMIT"
        )
    if doubled:
        values = [row[source.key] for row in rows if raw_text(row[source.key]) in doubled]
        joined = await _is_of_the_join(source, values, database)
        setting, mend = ("join", _MEND_JOIN) if joined else (f"key = {source.key}", _MEND_KEY)
        report.wrong(f"[source] {setting}: {_named(doubled)}, and none of these rows is sent; {mend}")
    _check_persons(source, keys, report)
    return set(doubled)


async def _is_of_the_join(source: Source, values: Sequence[Value], database: Database) -> bool:
    """Whether the table by itself has these once."""
    if not (source.join and values):
        return False
    try:
        return not await database.read(partial(doubled_in_table, source=source, among=values[:SHOWN]))
    except ConnectorError:
        return False


def _named(doubled: list[str]) -> str:
    examples = ", ".join(one_line(without_national_id(key)) for key in doubled[:SHOWN])
    more = f" and {len(doubled) - SHOWN} more" if len(doubled) > SHOWN else ""
    stand = "stands" if len(doubled) == 1 else "stand"
    return f"{many(len(doubled), 'key')} {stand} in more than one row ({examples}{more})"


def _check_persons(source: Source, keys: list[str], report: Report) -> None:
    """What the hub refuses row by row is here said of the column."""
    naming = [key for key in keys if holds_national_id(source.reference_prefix + clean_text(key)[0])]
    if naming:
        report.wrong(
            f"[source] key = {source.key}: {many(len(naming), 'row')} of the {len(keys)} looked at "
            f"{'has' if len(naming) == 1 else 'have'} a national ID number (NIK) as key, which names a "
            "person, and the hub refuses it; write the table's primary key"
        )
