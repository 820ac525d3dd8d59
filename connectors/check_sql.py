"""The part of `check` for kind sql: the database, one mapped complaint, what would be refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from connectors.check_columns import check_columns, check_personal, check_secrecy
from connectors.check_keys import check_keys
from connectors.check_missing import check_missing
from connectors.check_values import check_values
from connectors.checker import Checker
from connectors.connector import open_database, utc_now
from connectors.database import Database, Rows, Session
from connectors.dialects.base import parameters_in
from connectors.effects import Effect
from connectors.errors import ConfigRefused, ConnectorError, StatementRefused
from connectors.mapping import ComplaintMapping
from connectors.national_ids import without_national_id
from connectors.odd_texts import OddTexts, of_rows
from connectors.photos import Unsent
from connectors.report import Report
from connectors.reporter_messages import Message
from connectors.reporter_words import COLUMNS, ReporterReplies
from connectors.source import RowReader
from connectors.sql import SqlConfig
from connectors.values import RowHeld, clean_text, raw_text
from connectors.wording import column_keys, in_columns, of_section
from connectors.words import many, one_line
from schemas.regions import Region

SAMPLE = 500
SHOWN = 10
UNSEEN = "the mapping and the writing back were not looked at, for the rows cannot be read"


@dataclass
class _Findings:
    """What the sampled rows would come to."""

    first: dict[str, Any] | None = None
    fine: int = 0
    doubled: int = 0
    """Rows whose key stands in another row too."""
    odd: OddTexts = field(default_factory=OddTexts)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    """Member whose value holds rows back -> how many."""
    unmapped: Counter[str] = field(default_factory=Counter)
    photos: dict[str, Unsent] = field(default_factory=dict)
    """Reference -> the first photo that it names and that cannot be sent."""
    regions: dict[str, Region] = field(default_factory=dict)
    """Code as it would be sent -> the region, where the hub writes its code otherwise."""


async def check(config: SqlConfig, report: Report) -> None:
    """Reads at most SAMPLE rows through a read-only connection and explains what the hub would get."""
    if config.kafka is not None:
        from connectors.broker.check import check_broker  # Kafka's library takes a fifth of a second

        await check_broker(config, config.kafka, report)
    report.section("Database")
    try:
        database = open_database(config.database, config.agency)
    except ConfigRefused as error:
        report.wrong(str(error))
        report.note(UNSEEN)
        return
    try:
        await _check_database(config, database, report)
    finally:
        database.close()


async def _check_database(config: SqlConfig, database: Database, report: Report) -> None:
    mapping = config.mapping()
    reader = RowReader(config.source, column_keys(mapping))
    try:
        rows = await database.read(lambda session: reader.page(session, config.source.start_after, SAMPLE))
    except StatementRefused as error:
        await check_missing(config.source, mapping, error, database, report)
        report.note(UNSEEN)
        return
    except ConnectorError as error:
        report.wrong(str(error))
        report.note(UNSEEN)
        return
    report.ok(f"{database.shown()} is reachable, and the rows can be read")
    try:
        doubled = await check_keys(config.source, rows, database, report)
        _check_rows(config, mapping, rows, doubled, report)
        await check_columns(config, mapping, database, report)
        await _check_statements(config, database, report)
        await check_values(config.write_back, database, report)
        if config.reporter_replies:
            await _check_replies(config.reporter_replies, database, report)
    except ConnectorError as error:
        report.wrong(str(error))


def _check_rows(
    config: SqlConfig, mapping: ComplaintMapping, rows: Rows, doubled: set[str], report: Report
) -> None:
    report.section("Mapping")
    checker = Checker(utc_now)
    _check_codes(config, checker, report)
    check_personal(mapping, report)
    check_secrecy(mapping, report)
    _check_folder(config, report)
    if not rows:
        report.note("there are no rows to show")
        return
    findings = _Findings()
    holders: dict[str, str] = {}
    for row in rows:
        number, raw = clean_text(row[config.source.key])[0], raw_text(row[config.source.key])
        if raw in doubled:
            findings.doubled += 1
        elif holders.setdefault(number, raw) == raw:
            _try_row(config, mapping, checker, number, row, findings)
        else:
            reason = "refused: its key differs from another row's by blanks or control characters only"
            findings.reasons.setdefault(reason, []).append(repr(raw))
    _show(config, len(rows), findings, report)


def _check_folder(config: SqlConfig, report: Report) -> None:
    folder = config.photos.folder if config.photos else ""
    if folder and not Path(folder).is_dir():
        report.wrong(
            f"photos.folder: there is no folder {folder} that this user can see; mend the path or the "
            "rights, or leave photos.folder out: photos are then named, not sent"
        )


def _try_row(
    config: SqlConfig, mapping: ComplaintMapping, checker: Checker, number: str, row: Any, findings: _Findings
) -> None:
    reference = config.source.reference_prefix + number
    shown = without_national_id(reference)
    findings.odd.look(shown, row, mapping.columns())
    try:
        mapped = mapping.map(row, reference, utc_now())
    except RowHeld as held:
        findings.reasons.setdefault(f"held: {held}", []).append(shown)
        findings.held[held.member] += 1
        if config.category and held.member == "category":
            findings.unmapped[clean_text(row[config.category.column])[0]] += 1
        return
    findings.odd.take_out(shown, mapped.removed)
    if mapped.unsent:
        findings.photos[shown] = mapped.unsent[0]
    if config.category and mapped.document["category"] == "other":
        findings.unmapped[clean_text(row[config.category.column])[0]] += 1
    flaws = in_columns(checker.flaws(mapped.document), mapping, row)
    for flaw in flaws:
        findings.reasons.setdefault(f"refused: {flaw.detail}", []).append(shown)
    if not flaws:
        if region := checker.usual_region(mapped.document):
            findings.regions[mapped.document["location"]["region"]] = region
        findings.fine += 1
        findings.first = findings.first or mapped.document


def _show(config: SqlConfig, sampled: int, findings: _Findings, report: Report) -> None:
    if findings.first is None and findings.doubled < sampled:
        report.wrong(f"of the {many(sampled, 'row')} looked at, none can be sent as mapped")
    elif findings.first is not None:
        report.ok(
            f"of the {many(sampled, 'row')} looked at, {findings.fine} can be sent; "
            "the first, as the hub gets it:"
        )
        report.detail(orjson.dumps(findings.first, option=orjson.OPT_INDENT_2).decode())
    for reason, references in findings.reasons.items():
        report.note(f"{reason} ({of_rows(references)})")
    if findings.unmapped and config.category:
        codes = ", ".join(
            f"{code or '(empty)'} ({count})" for code, count in findings.unmapped.most_common(SHOWN)
        )
        report.note(
            f"categories not in [category.codes], which {_fate(config.category.unmapped)}: {codes}; "
            f"the hub's codes: {config.hub.url.rstrip('/')}/v1/categories"
        )
    if findings.held:
        report.holds(findings.held.total(), _held_by(config, findings.held))
    for code, region in sorted(findings.regions.items()):
        report.note(
            f"location.region {code} is taken and kept as it is sent; the hub's list writes {region.code} "
            f"({region.name}), and so should the mapping: GET /v1/regions"
        )
    _note_photos(sampled, findings.photos, report)
    for note in findings.odd.notes():
        report.note(note)


def _note_photos(sampled: int, photos: Mapping[str, Unsent], report: Report) -> None:
    if not photos:
        return
    reference, first = next(iter(photos.items()))
    report.note(
        f"{len(photos)} of the {many(sampled, 'row')} looked at name a photo that cannot be "
        f"sent and goes as a name only; the first is {one_line(first.name)} of {reference}: {first.why}"
    )


def _held_by(config: SqlConfig, held: Counter[str]) -> str:
    if config.category and set(held) == {"category"}:
        return f"{'its' if held.total() == 1 else 'their'} category is not in [category.codes]"
    return f"[map] {', '.join(sorted(held))} cannot be made of them"


def _fate(unmapped: str) -> str:
    return "are held" if unmapped == "hold" else "go as `other` with the raw code beside it"


def _check_codes(config: SqlConfig, checker: Checker, report: Report) -> None:
    codes = config.category.codes.values() if config.category else ()
    for code in sorted({code for code in codes if not checker.knows_category(code)}):
        report.wrong(f"category.codes: the hub has no category {code!r} (see GET /v1/categories)")


async def _check_statements(config: SqlConfig, database: Database, report: Report) -> None:
    """Lets the database explain the write-back statements: it plans them, checks rights, runs nothing."""
    report.section("Writing back")
    back = config.write_back
    flat = _texts("[write_back.answer]", back.answer)
    if back.status:
        flat.append(("[write_back.status]", back.status.statement))
    if not flat:
        report.note("nothing is configured; answers will not reach the app")
    flat += _texts("[write_back.erased]", back.erased)
    if back.erased is None:
        report.note(
            "[write_back.erased] is not there: when a case is erased in the hub, somebody must decide what "
            "goes in the app, and say so with simpul-connector receipt"
        )
    flat += _texts("[write_back.message]", back.message)
    if back.message:
        flat += _texts("[write_back.message.edited]", back.message.edited)
        flat += _texts("[write_back.message.withdrawn]", back.message.withdrawn)
    _note_messages(back.message, report)
    for key, statement in flat:
        try:
            await database.write(partial(_explain, statement=statement))
            report.ok(f"understood by the database: {statement}")
        except ConnectorError as error:
            report.wrong(f"{key}: {error}, in: {statement}")


def _texts(key: str, effect: Effect | None) -> list[tuple[str, str]]:
    """(key, text) of each statement and guard."""
    return [(key, text) for pair in effect.guarded() for text in pair if text] if effect else []


def _note_messages(message: Message | None, report: Report) -> None:
    """What will not reach the reporter of what agencies write in threads."""
    if message is None:
        report.note(
            "[write_back.message] is not there; agencies' messages to reporters will not reach the app"
        )
        return
    if message.edited is None:
        report.note(
            "[write_back.message.edited] is not there; a changed message stays as it was first written"
        )
    if message.withdrawn is None:
        report.note(
            "[write_back.message.withdrawn] is not there; a message that is taken back stays in the app"
        )


async def _check_replies(settings: ReporterReplies, database: Database, report: Report) -> None:
    parameters = {"cursor": settings.start_after, "limit": 10}
    with of_section("[reporter_replies] query"):
        rows = await database.read(lambda session: session.rows(settings.query, parameters))
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing:
        needed = ", ".join(COLUMNS)
        report.wrong(f"reporter_replies.query gives no column {missing[0]!r}; it needs {needed}")
    else:
        report.ok(f"reporter_replies.query works and gives {many(len(rows), 'row')} of at most 10")


def _explain(session: Session, statement: str) -> None:
    parameters: dict[str, None] = dict.fromkeys(parameters_in(statement))
    session.tuples(f"EXPLAIN {statement}", parameters)
