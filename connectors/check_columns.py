"""The part of `check` that names the app's columns that no key names: one of them may ask for secrecy."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from connectors.database import Database, Session
from connectors.errors import StatementRefused
from connectors.mapping import ComplaintMapping
from connectors.report import Report
from connectors.rules import SHAREABLE
from connectors.source import Source
from connectors.sql import SqlConfig
from schemas.app_values import FLAGS

PERSONAL = ("nik", "ktp", "telp", "phone", "hp", "alamat_rumah", "email")


async def check_columns(
    config: SqlConfig, mapping: ComplaintMapping, database: Database, report: Report
) -> None:
    """Asks for the names alone: of a column that no key names nothing is read."""
    try:
        names = await database.read(partial(_names, source=config.source))
    except StatementRefused as error:
        report.note(f"the columns that no key names are not known here: {error}")
        return
    known = {name.rpartition(".")[2].lower() for name in (*mapping.columns(), *_keys(config.source))}
    known |= {word.lower() for text in _texts(config) for word in re.findall(r"\w+", text)}
    unnamed = [name for name in dict.fromkeys(names) if name.lower() not in known]
    if unnamed:
        what = f"{config.source.table} has" if config.source.table else "source.query gives"
        report.note(
            f"{what} columns that no key names: {', '.join(unnamed)}; they are not read. If one of them says "
            "that a reporter wants secrecy, map it: confidential, or reporter.anonymous"
        )


def check_secrecy(mapping: ComplaintMapping, report: Report) -> None:
    """Whose name goes to the hub is the reporter's to say, where the app asks."""
    going = [name for name in SHAREABLE if name in mapping.share and f"reporter.{name}" in mapping.rules]
    if going and not any(flag in mapping.rules for flag in FLAGS):
        report.note(
            "[map]: neither confidential nor reporter.anonymous is mapped, so every reporter's "
            f"{' and '.join(going)} goes to the hub; if the app lets them ask for secrecy, map its column"
        )


def check_personal(mapping: ComplaintMapping, report: Report) -> None:
    """What belongs to the reporter, by its name, and goes as another member."""
    for member, rule in mapping.rules.items():
        if not member.startswith("reporter."):
            for column in _personal(rule.columns()):
                report.note(
                    f"map.{member} takes column {column}, which looks like personal data; is that meant?"
                )


def _personal(columns: Iterable[str]) -> list[str]:
    return [column for column in columns if set(column.lower().replace(".", "_").split("_")) & set(PERSONAL)]


def names_statement(table: str) -> str:
    """Gives the table's columns, and no row."""
    return f"SELECT {table}.* FROM {table} WHERE 1 = 0"  # noqa: S608 (a checked name, own configuration)


def _names(session: Session, source: Source) -> list[str]:
    if source.table:
        return session.names(names_statement(source.table), {})
    return session.names(source.query, {"cursor": source.start_after, "limit": 0})


def _keys(source: Source) -> tuple[str, ...]:
    return source.key, source.cursor


def _texts(config: SqlConfig) -> Iterator[str]:
    """Statements and parts of them that may name a column of the table."""
    yield from (config.source.where, config.source.join)
    yield from _strings(config.write_back)
    yield from _strings(config.reporter_replies)


def _strings(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for each in part:
            yield from _strings(each)
    elif dataclasses.is_dataclass(part):
        for item in dataclasses.fields(part):
            yield from _strings(getattr(part, item.name))
