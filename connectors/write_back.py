"""[write_back]: the hub's answers and statuses into the app's own tables, by configured statements."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from connectors.database import Database
from connectors.dialects.base import parameters_in
from connectors.effects import Effect, apply_effect, check_effect
from connectors.entries import Entry
from connectors.errors import ConfigRefused, HubRefused
from connectors.events import PARAMETERS, parameters_of, sequence_of, short_type
from connectors.hub_client import HubClient
from connectors.options import option
from connectors.outbox import Outbox

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
ANSWER_PARAMETERS = ("key", "reference", "answer", "answered_at", "answered_on", *PARAMETERS)
STATUS_PARAMETERS = ("key", "reference", "status")


@dataclass(frozen=True, kw_only=True)
class StatusBack:
    """[write_back.status]: the app's own word for the case's status."""

    statement: str = option(reason="an UPDATE that may be repeated, with :status and :key")
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
    if write_back.answer and not write_back.status and _names_status(write_back.answer):
        remedy = "add [write_back.status] with the app's words"
        raise ConfigRefused("write_back.answer", ":status has no words without [write_back.status]", remedy)
    if write_back.status:
        effect = Effect(statements=[write_back.status.statement])
        check_effect(effect, "write_back.status", STATUS_PARAMETERS)
        for name in write_back.status.values:
            if name not in STATUSES:
                remedy = f"choose one of: {', '.join(STATUSES)}"
                raise ConfigRefused(f"write_back.status.values.{name}", "is no status of a case", remedy)


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
        agency: str,
        zone: ZoneInfo,
    ) -> None:
        self._write_back, self._database, self._hub = write_back, database, hub
        self._outbox, self._agency, self._zone = outbox, agency, zone

    def wanted(self, event: Mapping[str, Any]) -> bool:
        """Everything about a case; what says nothing new to the app ends in `handle`."""
        data = event.get("data")
        return isinstance(data, Mapping) and "case_id" in data and "withheld" not in data

    async def handle(self, event: dict[str, Any]) -> str:
        data = event["data"]
        entry = await self._entry(str(data["case_id"]))
        if entry is None:
            return ""
        note = ""
        # the case's answer, not each leg's: the lead writes what the reporter reads
        if self._write_back.answer and short_type(event) == "complaint.answered" and _has_text(data):
            note = await self._write_answer(event, entry)
        await self._write_status(str(data.get("status", "")), sequence_of(event), entry)
        return note

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
        note = await self._database.write(lambda session: apply_effect(session, effect, parameters))
        self._outbox.count_moved("answer")
        return note

    async def _write_status(self, status: str, sequence: int, entry: Entry) -> None:
        word = self._word(status)
        if self._write_back.status is None or word is None or _comes_late(sequence, entry):
            return
        if entry.status_written != word:
            effect = Effect(statements=[self._write_back.status.statement])
            parameters = {"key": entry.source_key, "reference": entry.reference, "status": word}
            await self._database.write(lambda session: apply_effect(session, effect, parameters))
            self._outbox.count_moved("status")
        self._outbox.note_status(entry.reference, word, sequence)

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
