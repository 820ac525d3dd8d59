"""[write_back.message]: what agencies write to a reporter in a thread, into the app's own tables; once, and
when the configuration says how, changed and taken back there too."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from connectors.database import Database
from connectors.dialects.base import parameters_in
from connectors.effects import Effect, Outcome, check_effect, check_guards
from connectors.entries import Entry
from connectors.errors import ConfigRefused, NotConfigured
from connectors.events import local, sequence_of, short_type
from connectors.inbox import NOT_SHOWN
from connectors.once import OnceWriter
from connectors.options import option
from connectors.outbox import Outbox
from connectors.own_cases import OwnCases
from connectors.shown import Shown
from connectors.statements import parameters_of_where
from connectors.whereabouts import Whereabouts
from connectors.wording import of_section
from connectors.written import Written

POSTED, EDITED, WITHDRAWN = (f"thread.message_{what}" for what in ("posted", "edited", "withdrawn"))
PARAMETERS = (
    "key", "reference", "message", "message_id", "thread_id", "agency", "agency_name", "posted_at",
    "posted_on", "case_id", "event_id", "local_time", "local_date",
)  # fmt: skip
_OF_ONE_MESSAGE = {"message_id", "event_id"}
_OF_ONE_REPORT = {"key", "reference", "case_id"}
KEY = "write_back.message"
UNSHOWN = "a message to the reporter is not shown: the configuration does not say how"
log = structlog.get_logger("simpul-connector")


@dataclass(frozen=True, kw_only=True)
class Message(Effect):
    """[write_back.message]: statements for one report; a message to several reporters runs them for each."""

    edited: Effect | None = option(None, reason="what becomes of it when its agency changes the words")
    withdrawn: Effect | None = option(None, reason="what becomes of it when its agency takes it back")


def check_message(message: Message) -> None:
    """What one key alone cannot show."""
    check_effect(message, KEY, PARAMETERS)
    check_guards(message, KEY, _OF_ONE_MESSAGE)
    guards = [guard for _, guard in message.guarded() if guard]
    for guard in guards:
        if not parameters_in(guard) & _OF_ONE_REPORT:
            remedy = "a message may be for several reports: add AND id_pengaduan = :key"
            raise ConfigRefused(f"{KEY}.already_written", "names no report", remedy)
    for name, effect in (("edited", message.edited), ("withdrawn", message.withdrawn)):
        if effect is not None:
            check_effect(effect, f"{KEY}.{name}", PARAMETERS)
            check_guards(effect, f"{KEY}.{name}", {"event_id", "message_id"})
            _check_picks(effect, f"{KEY}.{name}", guards)


def _check_picks(effect: Effect, key: str, guards: list[str]) -> None:
    """A report may have several messages: whatever changes one must name it, and know its row again."""
    for statement, guard in effect.guarded():
        if guard or not guards:
            continue
        if "message_id" not in parameters_of_where(statement):
            remedy = "keep the message's id in the app and pick the row by it: WHERE id_pesan = :message_id"
            raise ConfigRefused(f"{key}.statements", "would change every message of the report", remedy)
        if any("message_id" not in parameters_in(one) for one in guards):
            remedy = "ask for id_pesan = :message_id instead of the words, which may change"
            raise ConfigRefused(f"{KEY}.already_written", "names no :message_id", remedy)


class MessageWriter(OnceWriter):
    """The handler of the inbox for messages of the scope `reporter`; no other message ever comes here."""

    def __init__(
        self,
        settings: Message | None,
        database: Database,
        written: Written,
        shown: Shown,
        outbox: Outbox,
        own_cases: OwnCases,
        whereabouts: Whereabouts,
        zone: ZoneInfo,
    ) -> None:
        """Without `settings` a message waits, named once, until there are some."""
        super().__init__(database, written)
        self._settings, self._shown, self._outbox = settings, shown, outbox
        self._own_cases, self._whereabouts, self._zone = own_cases, whereabouts, zone

    def wanted(self, event: Mapping[str, Any]) -> bool:
        """Messages to reporters, and what becomes of them later."""
        data = event.get("data")
        message = data.get("message") if isinstance(data, Mapping) else None
        to_reporter = isinstance(message, Mapping) and message.get("scope") == "reporter"
        return to_reporter and short_type(event) in (POSTED, EDITED, WITHDRAWN)

    async def handle(self, event: dict[str, Any]) -> str:
        if not self.wanted(event):
            return ""
        message, kind = event["data"]["message"], short_type(event)
        if kind == WITHDRAWN:
            return await self._take_back(event, message)
        if self._shown.is_withdrawn(str(message["id"])) or not message.get("text"):
            return ""  # taken back or erased since
        settings = self._settings
        if settings is not None and kind == EDITED and settings.edited is None:
            return ""
        entries = await self._entries(message)
        if settings is None:
            self._leave(message, entries)
            return ""
        notes = [await self._show(event, message, entry, settings) for entry in entries]
        return "; ".join(dict.fromkeys(note for note in notes if note))

    async def _entries(self, message: Mapping[str, Any]) -> list[Entry]:
        """The reports of this app whose reporters it is for."""
        found = []
        for case_id in message.get("cases", ()):
            entry = await self._own_cases.entry(str(case_id))
            if entry is not None:
                found.append(replace(entry, case_id=str(case_id)))
        return found

    def _leave(self, message: Mapping[str, Any], entries: list[Entry]) -> None:
        """Raises NotConfigured where a report of this app is meant; says so once a message."""
        if not entries:
            return
        author, message_id = str(message["author"]["agency"]), str(message["id"])
        references = ", ".join(entry.reference for entry in entries)
        remedy = (
            f"add [{KEY}] to the configuration (examples/pengaduan-messages.toml has it) and start the "
            "connector again: then it is shown"
        )
        if self._shown.is_told_now(message_id):
            log.warning(UNSHOWN, author=author, reference=references, message=message_id, remedy=remedy)
        raise NotConfigured(
            f"{NOT_SHOWN}{author} wrote to the reporter of {references} (message {message_id}); {remedy}"
        )

    async def _show(
        self, event: dict[str, Any], message: Mapping[str, Any], entry: Entry, settings: Message
    ) -> str:
        """The words of the latest event stand in the app, in whatever order they come: an event that the
        database refused is tried again later."""
        message_id, sequence = str(message["id"]), sequence_of(event)
        stands = self._shown.sequence(message_id, entry.reference)
        edited = settings.edited if short_type(event) == EDITED else None
        if stands is not None and (edited is None or sequence < stands):
            return ""
        note = ""
        if stands is None:
            outcome = await self._write(event, message, entry, settings)
            note = outcome.note(entry.source_key)
            if outcome.wrote:
                self._outbox.count_moved("message")
                edited = None  # it was written with the changed words
        if edited is not None:
            note = (await self._write(event, message, entry, edited)).note(entry.source_key)
        self._shown.note(message_id, entry.reference, sequence)
        return note

    async def _take_back(self, event: dict[str, Any], message: Mapping[str, Any]) -> str:
        """The event does not say whose reporters the message was for; the spool knows where it stands."""
        message_id, effect = str(message["id"]), self._settings and self._settings.withdrawn
        known = self._outbox.find(self._shown.references(message_id)).values()
        notes = []
        if effect is not None:
            for entry in known:
                notes.append((await self._write(event, message, entry, effect)).note(entry.source_key))
            if not known:
                await self._take_back_anywhere(event, message, effect)
        self._shown.note_withdrawn(message_id)
        return "; ".join(dict.fromkeys(note for note in notes if note))

    async def _take_back_anywhere(
        self, event: dict[str, Any], message: Mapping[str, Any], effect: Effect
    ) -> None:
        """A spool that was lost does not know it any more, and the hub gives its words no more: under every
        report of the thread, by what picks the message's own row and finds none elsewhere."""
        picking = [
            text for text, guard in effect.guarded()
            if not guard and "message_id" in parameters_of_where(text)
        ]  # fmt: skip
        for case_id in event["data"]["cases"] if picking else ():
            entry = await self._own_cases.entry(str(case_id))
            if entry is not None:
                await self._write(event, message, entry, Effect(statements=[*picking]))

    async def _write(
        self, event: dict[str, Any], message: Mapping[str, Any], entry: Entry, effect: Effect
    ) -> Outcome:
        author = str(message["author"]["agency"])
        named = {name for pair in effect.guarded() for text in pair for name in parameters_in(text)}
        posted, moment = (local(at, self._zone) or "" for at in (message.get("posted_at"), event["time"]))
        parameters = {
            "key": entry.source_key,
            "reference": entry.reference,
            "message": message.get("text"),
            "message_id": message["id"],
            "thread_id": event["data"]["thread_id"],
            "agency": author,
            "agency_name": await self._whereabouts.name_of(author) if "agency_name" in named else None,
            "posted_at": posted,
            "posted_on": posted[:10],
            "case_id": entry.case_id,
            "event_id": event["id"],
            "local_time": moment,
            "local_date": moment[:10],
        }
        with of_section(f"[{KEY}]"):
            return await self._write_once(str(event["id"]), effect, parameters)
