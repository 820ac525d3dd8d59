"""[write_back]: the hub's answers and statuses into the app's own tables, by configured statements."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.database import Database
from connectors.dialects.base import parameters_in
from connectors.effects import Effect, Outcome, bring_about, check_effect, count_rows
from connectors.entries import Entry
from connectors.errors import ConfigRefused, HubRefused, StatementRefused
from connectors.events import PARAMETERS, parameters_of, sequence_of, short_type
from connectors.hub_client import HubClient
from connectors.options import option
from connectors.outbox import Outbox
from connectors.statements import has_word, parameters_of_where, verb
from connectors.whereabouts import WHEREABOUTS, Whereabouts
from connectors.written import Written

STATUSES = (
    "submitted",
    "verified",
    "forwarded",
    "in_progress",
    "answered",
    "closed",
    "incomplete",
    "rejected",
)
ANSWER_PARAMETERS = ("key", "reference", "answer", "answered_at", "answered_on", *PARAMETERS, *WHEREABOUTS)
STATUS_PARAMETERS = ("key", "reference", "status", *WHEREABOUTS)
_OF_ONE_ANSWER = {"event_id", "time", "local_time", "answered_at"}
"""Parameters in which two answers to one complaint differ for certain."""
_ONE_ROW = re.compile(r"\b(LIMIT|FETCH|DISTINCT|EXISTS|GROUP|COUNT|MIN|MAX)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class StatusBack:
    """[write_back.status]: the app's own word for the case's status."""

    statement: str = option(
        reason="an UPDATE that may be repeated, with :status and :key (:handler_name, :due_on too)"
    )
    values: dict[str, str] = option(
        reason="the hub's status = the app's; a status that is not named is not written"
    )


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """[write_back]: without it nothing is ever written into the app's database."""

    answer: Effect | None = option(None, reason="what the case's answer, in its lead's words, becomes")
    status: StatusBack | None = option(None, reason="what a change of the case's status becomes")


def check_write_back(write_back: WriteBack) -> None:
    """What one key alone cannot show."""
    if write_back.answer:
        check_effect(write_back.answer, "write_back.answer", ANSWER_PARAMETERS)
        _check_guards(write_back.answer)
    if write_back.answer and not write_back.status and _names_status(write_back.answer):
        remedy = "add [write_back.status] with the app's words"
        raise ConfigRefused("write_back.answer", ":status has no words without [write_back.status]", remedy)
    if write_back.status:
        _check_status(write_back.status.statement)
        for name in write_back.status.values:
            if name not in STATUSES:
                remedy = f"choose one of: {', '.join(STATUSES)}"
                raise ConfigRefused(f"write_back.status.values.{name}", "is no status of a case", remedy)


def _check_status(statement: str) -> None:
    """It is run for every complaint: it must pick that one's row and say that one's status."""
    key = "write_back.status.statement"
    remedy = "write UPDATE ... SET status = :status WHERE id = :key"
    if verb(statement) != "UPDATE":
        raise ConfigRefused(key, "is no UPDATE", remedy)
    if "status" not in parameters_in(statement):
        raise ConfigRefused(key, "lacks :status", remedy)
    if "key" not in parameters_of_where(statement):
        raise ConfigRefused(key, "lacks :key in its WHERE and would change every row of the app", remedy)
    check_effect(Effect(statements=[statement]), "write_back.status", STATUS_PARAMETERS)


def _check_guards(effect: Effect) -> None:
    """Two answers in the same words are told apart by how many rows the guard gives."""
    for _, guard in effect.guarded():
        word = has_word(guard, _ONE_ROW)
        if word and not parameters_in(guard) & _OF_ONE_ANSWER:
            remedy = "it must give a row for each time it was written: SELECT 1 FROM ... WHERE ..."
            raise ConfigRefused("write_back.answer.already_written", f"holds {word.upper()}", remedy)


def _names_status(effect: Effect) -> bool:
    return any("status" in parameters_in(statement) for statement, _ in effect.guarded())


class AppWriter:
    """The handler of the inbox for kind sql: an answer becomes a row, a status an update, each once."""

    def __init__(
        self,
        write_back: WriteBack,
        database: Database,
        hub: HubClient,
        outbox: Outbox,
        written: Written,
        agency: str,
        zone: ZoneInfo,
    ) -> None:
        self._write_back, self._database, self._hub = write_back, database, hub
        self._outbox, self._written = outbox, written
        self._agency, self._zone = agency, zone
        self._whereabouts = Whereabouts(hub, zone)

    def wanted(self, event: Mapping[str, Any]) -> bool:
        """Everything about a case; what says nothing new to the app ends in `handle`."""
        data = event.get("data")
        return isinstance(data, Mapping) and "case_id" in data and "withheld" not in data

    async def handle(self, event: dict[str, Any]) -> str:
        data = event["data"]
        entry = await self._entry(str(data["case_id"]))
        if entry is None:
            return ""
        notes = []
        # the case's answer, not each leg's: the lead writes what the reporter reads
        if self._write_back.answer and short_type(event) == "complaint.answered" and _has_text(data):
            notes.append(await self._write_answer(event, entry))
        notes.append(await self._write_status(event, entry))
        return "; ".join(dict.fromkeys(note for note in notes if note))

    async def _write_answer(self, event: dict[str, Any], entry: Entry) -> str:
        effect = self._write_back.answer
        if effect is None:
            return ""
        late = _comes_late(sequence_of(event), entry)
        if late:
            effect = self._keeping_status(effect)
        facts = parameters_of(event, self._zone)
        parameters = facts | {
            "key": entry.source_key,
            "reference": entry.reference,
            "answer": facts["text"],
            "answered_at": facts["local_time"],
            "answered_on": facts["local_date"],
            "status": entry.status_written if late else self._word(facts["status"]),
        }
        parameters |= await self._where(event, *(text for pair in effect.guarded() for text in pair))
        questions = {
            guard: self._written.question(guard, parameters) for _, guard in effect.guarded() if guard
        }
        before = await self._rows_before(str(event["id"]), questions, parameters)
        try:
            outcome = await self._bring_about(effect, parameters, before)
        except StatementRefused:
            self._written.forget(str(event["id"]))
            raise
        self._note_written(str(event["id"]), questions)
        if outcome.wrote:
            self._outbox.count_moved("answer")
        return outcome.note(entry.source_key)

    async def _rows_before(
        self, event_id: str, questions: Mapping[str, bytes], parameters: Mapping[str, Any]
    ) -> dict[str, int]:
        """Guard -> how many of its rows are of earlier answers; kept before the first try, so that a kill
        right after the app's commit is seen by the row that is there since."""
        before = {}
        for guard, question in questions.items():
            expected = self._written.expected(event_id, question)
            earlier = self._written.earlier(event_id, question)
            if expected is None and earlier:
                found = await self._database.write(partial(count_rows, guard=guard, parameters=parameters))
                expected = min(earlier, found)  # fewer, where the app's officers deleted one
                self._written.expect(event_id, question, expected)
            before[guard] = expected or 0
        return before

    async def _bring_about(
        self, effect: Effect, parameters: Mapping[str, Any], before: Mapping[str, int]
    ) -> Outcome:
        work = partial(bring_about, effect=effect, parameters=parameters, before=before)
        return await self._database.write(work)

    def _note_written(self, event_id: str, questions: Mapping[str, bytes]) -> None:
        for question in questions.values():
            self._written.note(event_id, question)

    async def _write_status(self, event: dict[str, Any], entry: Entry) -> str:
        back, sequence = self._write_back.status, sequence_of(event)
        word = self._word(str(event["data"].get("status", "")))
        if back is None or word is None or _comes_late(sequence, entry):
            return ""
        where = await self._where(event, back.statement)
        shown = orjson.dumps(where, option=orjson.OPT_SORT_KEYS).decode() if where else None
        note = ""
        if (entry.status_written, entry.where_written) != (word, shown):
            effect = Effect(statements=[back.statement])
            parameters = {"key": entry.source_key, "reference": entry.reference, "status": word, **where}
            outcome = await self._bring_about(effect, parameters, {})
            note = outcome.note(entry.source_key)
            if outcome.wrote:
                self._outbox.count_moved("status")
        self._outbox.note_status(entry.reference, word, sequence, shown)
        return note

    async def _where(self, event: Mapping[str, Any], *statements: str) -> dict[str, str | None]:
        """What of WHEREABOUTS the statements name, as it stands now; the hub is asked only if they do."""
        named = {name for text in statements for name in parameters_in(text)} & set(WHEREABOUTS)
        if not named:
            return {}
        found = await self._whereabouts.of(str(event["data"]["case_id"]))
        return {name: found[name] for name in sorted(named)}

    def _keeping_status(self, effect: Effect) -> Effect:
        """An answer that comes late becomes its row, and its own UPDATE may set the status by a fixed word:
        in the same transaction the newer status has the last word."""
        if self._write_back.status is None or all(guard for _, guard in effect.guarded()):
            return effect
        return replace(effect, statements=[*effect.statements, self._write_back.status.statement])

    def _word(self, status: str | None) -> str | None:
        return self._write_back.status.values.get(status or "") if self._write_back.status else None

    async def _entry(self, case_id: str) -> Entry | None:
        """What the spool knows of a case; None when it is no complaint of this app."""
        return self._outbox.by_case(case_id) or await self._ask(case_id)

    async def _ask(self, case_id: str) -> Entry | None:
        """The event was faster than the acknowledgement, or belongs to somebody else: the case knows."""
        try:
            case = await self._hub.case(case_id)
        except HubRefused as problem:
            if problem.status in (404, 410):
                return None
            raise
        source = case["complaint"].get("source", {})
        if source.get("agency") != self._agency:
            return None
        return self._outbox.find([str(source["reference"])]).get(str(source["reference"]))


def _comes_late(sequence: int, entry: Entry) -> bool:
    """Whether a later event of the case has said the status already: this one was set aside meanwhile."""
    return entry.status_sequence is not None and sequence < entry.status_sequence


def _has_text(data: Mapping[str, Any]) -> bool:
    """False once the words were erased."""
    answer = data.get("answer")
    return isinstance(answer, Mapping) and bool(answer.get("text"))
