"""[write_back]: the hub's answers and statuses into the app's own tables, by configured statements."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import structlog

from connectors.database import Database
from connectors.dialects.base import parameters_in
from connectors.effects import Effect, check_effect, check_guards
from connectors.entries import Entry
from connectors.errors import AnswerFirst, ConfigRefused, ValueNotTaken
from connectors.events import ANSWERED, PARAMETERS, is_stranding, parameters_of, sequence_of, short_type
from connectors.hub_client import HubClient
from connectors.once import OnceWriter
from connectors.options import option
from connectors.outbox import Outbox
from connectors.own_cases import OwnCases
from connectors.reporter_messages import Message, check_message
from connectors.statements import column_set_to, parameters_of_where, verb
from connectors.whereabouts import WHEREABOUTS, Whereabouts
from connectors.wording import names, of_section
from connectors.written import Written
from schemas.case_states import CASE_STATUSES

ANSWER_PARAMETERS = ("key", "reference", "answer", "answered_at", "answered_on", *PARAMETERS, *WHEREABOUTS)
STATUS_PARAMETERS = ("key", "reference", "status", *WHEREABOUTS)
STRANDED = "the hub took the forwarding back: its agency is deactivated; a person must forward the case anew"
log = structlog.get_logger("simpul-connector")
_OF_ONE_ANSWER = {"event_id", "time", "local_time", "answered_at"}
"""Parameters in which two answers to one complaint differ for certain."""

_OF_AN_ANSWER = ("answered", "closed")
"""Statuses with which the reporter looks for an answer."""


@dataclass(frozen=True, kw_only=True)
class StatusBack:
    """[write_back.status]: the app's own word for the case's status."""

    statement: str = option(
        reason="an UPDATE that may be repeated, with :status and :key (:handler_name, :due_on too)"
    )
    values: dict[str, str] = option(
        reason="the hub's status = the app's; a status that is not named is not written"
    )

    def line_of(self, word: str | None) -> str:
        """Where the configuration has this word of the app's, as it stands there."""
        named = ", ".join(name for name, value in self.values.items() if value == word)
        return f'[write_back.status.values] {named} = "{word}"' if named else "[write_back.status.values]"


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """[write_back]: without it nothing is ever written into the app's database."""

    answer: Effect | None = option(None, reason="what the case's answer, in its lead's words, becomes")
    status: StatusBack | None = option(None, reason="what a change of the case's status becomes")
    message: Message | None = option(None, reason="what an agency's message to the reporter becomes")
    erased: Effect | None = option(None, reason="what becomes of a report whose case was erased in the hub")


def check_write_back(write_back: WriteBack) -> None:
    """What one key alone cannot show."""
    if write_back.answer:
        check_effect(write_back.answer, "write_back.answer", ANSWER_PARAMETERS)
        check_guards(write_back.answer, "write_back.answer", _OF_ONE_ANSWER)
    if write_back.message:
        check_message(write_back.message)
    if write_back.answer and not write_back.status and _names_status(write_back.answer):
        remedy = "add [write_back.status] with the app's words"
        raise ConfigRefused("write_back.answer", ":status has no words without [write_back.status]", remedy)
    if write_back.status:
        _check_status(write_back.status.statement)
        for name in write_back.status.values:
            if name not in CASE_STATUSES:
                remedy = f"choose one of: {', '.join(CASE_STATUSES)}"
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


def _names_status(effect: Effect) -> bool:
    return any("status" in parameters_in(statement) for statement, _ in effect.guarded())


class AppWriter(OnceWriter):
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
        super().__init__(database, written)
        self._write_back, self._outbox, self._zone = write_back, outbox, zone
        self.own_cases = OwnCases(outbox, hub, agency)
        self.whereabouts = Whereabouts(hub, zone)

    def wanted(self, event: Mapping[str, Any]) -> bool:
        """Everything about a case; what says nothing new to the app ends in `handle`."""
        data = event.get("data")
        return isinstance(data, Mapping) and "case_id" in data and "withheld" not in data

    async def handle(self, event: dict[str, Any]) -> str:
        data = event["data"]
        entry = await self.own_cases.entry(str(data["case_id"]))
        if entry is None:
            return ""
        notes = []
        # the case's answer, not each leg's: the lead writes what the reporter reads
        if self._write_back.answer and short_type(event) == ANSWERED and _has_text(data):
            notes.append(await self._write_answer(event, entry))
        notes.append(await self._write_status(event, entry))
        if is_stranding(event):
            log.warning(STRANDED, reference=entry.reference, agency=data["forwarding"]["to"])
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
        with of_section("[write_back.answer]"), self._of_word(effect, parameters["status"]):
            outcome = await self._write_once(str(event["id"]), effect, parameters)
        if outcome.wrote:
            self._outbox.count_moved("answer")
        return outcome.note(entry.source_key)

    async def _write_status(self, event: dict[str, Any], entry: Entry) -> str:
        back, sequence = self._write_back.status, sequence_of(event)
        word = self._word(str(event["data"].get("status", "")))
        if back is None or word is None or _comes_late(sequence, entry) or self._precedes(event, entry, word):
            return ""
        self._await_answer(event)
        return await self._write_word(event, entry, back, word, sequence)

    def _precedes(self, event: Mapping[str, Any], entry: Entry, word: str) -> bool:
        """`answered` is the word of the case's answer: the event of the last leg says it just before, and
        must not write it where the answer may yet be refused."""
        brings = self._write_back.answer is not None and event["data"].get("status") == "answered"
        return brings and short_type(event) != ANSWERED and entry.status_written != word

    def _await_answer(self, event: Mapping[str, Any]) -> None:
        """Raises AnswerFirst where a final status would stand in the app without its answer."""
        if self._write_back.answer is None or event["data"].get("status") not in _OF_AN_ANSWER:
            return
        missing = None if short_type(event) == ANSWERED else self._written.set_aside_before(event)
        if missing is not None:
            raise AnswerFirst(
                f"[write_back.status] waits until the answer of the event {missing}, which was set aside, "
                "is in the app"
            )

    async def _write_word(
        self, event: dict[str, Any], entry: Entry, back: StatusBack, word: str, sequence: int | None
    ) -> str:
        where = await self._where(event, back.statement)
        shown = orjson.dumps(where, option=orjson.OPT_SORT_KEYS).decode() if where else None
        note = ""
        if (entry.status_written, entry.where_written) != (word, shown):
            effect = Effect(statements=[back.statement])
            parameters = {"key": entry.source_key, "reference": entry.reference, "status": word, **where}
            with of_section("[write_back.status]"), self._of_word(effect, word):
                outcome = await self._bring_about(effect, parameters, {})
            note = outcome.note(entry.source_key)
            if outcome.wrote:
                self._outbox.count_moved("status")
        self._outbox.note_status(entry.reference, word, sequence, shown)
        return note

    async def moved(self, event: dict[str, Any]) -> str:
        """The work on the case passed to another agency: the row says who has it now. The status stays, and
        so does the place of the event that said it, for this one has none in the case."""
        back, entry = self._write_back.status, await self.own_cases.entry(str(event["data"]["case_id"]))
        if back is None or entry is None or entry.status_written is None:
            return ""
        return await self._write_word(event, entry, back, entry.status_written, entry.status_sequence)

    async def _where(self, event: Mapping[str, Any], *statements: str) -> dict[str, str | None]:
        """What of WHEREABOUTS the statements name, as it stands now; the hub is asked only if they do."""
        named = {name for text in statements for name in parameters_in(text)} & set(WHEREABOUTS)
        if not named:
            return {}
        found = await self.whereabouts.of(str(event["data"]["case_id"]))
        return {name: found[name] for name in sorted(named)}

    def _keeping_status(self, effect: Effect) -> Effect:
        """An answer that comes late becomes its row, and its own UPDATE may set the status by a fixed word:
        in the same transaction the newer status has the last word."""
        if self._write_back.status is None or all(guard for _, guard in effect.guarded()):
            return effect
        return replace(effect, statements=[*effect.statements, self._write_back.status.statement])

    @contextmanager
    def _of_word(self, effect: Effect, word: str | None) -> Iterator[None]:
        """Where the column of the status takes this word not, the line that has it is named."""
        try:
            yield
        except ValueNotTaken as error:
            targets = [column_set_to(text, "status") for text, _ in effect.guarded()]
            if self._write_back.status and any(names(error, target[1]) for target in targets if target):
                line = self._write_back.status.line_of(word)
                raise ValueNotTaken(f"{error}; mend {line}", error.said) from error
            raise

    def _word(self, status: str | None) -> str | None:
        return self._write_back.status.values.get(status or "") if self._write_back.status else None


def _comes_late(sequence: int, entry: Entry) -> bool:
    """Whether a later event of the case has said the status already: this one was set aside meanwhile."""
    return entry.status_sequence is not None and sequence < entry.status_sequence


def _has_text(data: Mapping[str, Any]) -> bool:
    """False once the words were erased."""
    answer = data.get("answer")
    return isinstance(answer, Mapping) and bool(answer.get("text"))
