"""[reporter_replies]: what the reporter says in the app after the complaint was sent. A reply, or "not fixed
yet", which reopens the case. Read from the app's rows, spooled, and told to the hub once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.answering import ReplyRows
from connectors.channel import Channel, path_of
from connectors.database import Database, Rows
from connectors.dialects.base import parameters_in
from connectors.erased import GONE
from connectors.errors import ConfigRefused, HubRefused
from connectors.options import option
from connectors.outbox import Outbox
from connectors.pauses import Postponed
from connectors.replies import Replies, Reply, ReplyRefused, read_id
from connectors.reply_teller import ReplyTeller
from connectors.spool import Spool
from connectors.statements import check_select
from connectors.values import clean_text, is_missing
from connectors.wording import of_section

COLUMNS = ("id", "key", "text")
_ENDED = ("answered", "closed")


@dataclass(frozen=True, kw_only=True)
class ReporterReplies:
    """[reporter_replies]: rows, read after a rising column."""

    query: str = option(
        reason="gives id, key (the app's number of the report), text, action? (reply or reopen), with "
        "`id > :cursor ORDER BY id LIMIT :limit` inside"
    )
    each: str = option(
        "row",
        reason="row: each row counts once; content: also when its words change (a report's own column)",
        choices=("row", "content"),
    )
    reopen_text: str = option(
        "Pelapor menyatakan laporannya belum tuntas.", reason="the reason of a reopening without words"
    )
    start_after: int | str = option(0, reason="rows up to this id are left alone")
    every_s: float = option(2.0, reason="how often rows are looked for", minimum=0.05)
    page: int = option(200, reason="rows read at once; more than the window", minimum=2, maximum=10000)
    window: int = option(50, reason="rows read again each time, for rows commit late", minimum=0)


def check_reporter_replies(settings: ReporterReplies) -> None:
    """What one key alone cannot show."""
    key = "reporter_replies.query"
    check_select(key, settings.query)
    if not {"cursor", "limit"} <= parameters_in(settings.query):
        raise ConfigRefused(key, "lacks :cursor or :limit", "add WHERE id > :cursor ORDER BY id LIMIT :limit")
    if settings.page <= settings.window:
        remedy = "give at least window + 1"
        raise ConfigRefused("reporter_replies.page", "is not larger than the window", remedy)


class ReporterRows(ReplyRows):
    """Follows the rows. `content`: walks over all of them, again and again, since an old one may change."""

    cursor_name, section = "reporter_cursor", "[reporter_replies] query"

    def __init__(
        self,
        settings: ReporterReplies,
        database: Database,
        spool: Spool,
        replies: Replies,
        now: Callable[[], datetime],
        outbox: Outbox,
        prefix: str,
    ) -> None:
        """`prefix` goes before a key, as it does before the references of the reports."""
        super().__init__(settings, database, spool, replies, now)
        self._own, self._outbox, self._prefix = settings, outbox, prefix
        self._walked_to: Any = None

    async def step(self) -> bool:
        if self._own.each == "row":
            return await super().step()
        after = self._own.start_after if self._walked_to is None else self._walked_to
        with of_section(self.section):
            rows = await self._database.read(lambda session: self._page(session, after))
        with self._spool.transaction():
            self._take(rows)
        more = len(rows) == self._own.page
        self._walked_to = rows[-1]["id"] if more else None
        return more

    def _take(self, rows: Rows) -> None:
        for row in rows:
            try:
                reply = self._read(row)
            except ReplyRefused as error:
                self._refuse(row["id"], str(error))
            else:
                if reply is not None:
                    self._replies.take(reply, self._now().isoformat())

    def _read(self, row: Any) -> Reply | None:
        """None where nothing is said yet; by content also where the hub does not have the report yet."""
        missing = [name for name in COLUMNS if name not in row]
        if missing:
            raise ReplyRefused(f"{missing[0]}: reporter_replies.query gives no such column")
        action = clean_text(row.get("action") or "reply")[0].strip()
        if action not in ("reply", "reopen"):
            raise ReplyRefused("action: must be reply or reopen")
        text = "" if is_missing(row["text"]) else clean_text(row["text"])[0].strip()
        if action == "reopen":
            text = text or self._own.reopen_text
        if not text:
            return None
        name = f"app-{read_id(clean_text(row['id'])[0])}"
        reference = self._prefix + clean_text(row["key"])[0]
        if self._own.each == "content":
            entry = self._outbox.find([reference]).get(reference)
            if entry is None or entry.state != "sent":
                return None
            name += f"-{hashlib.sha256(f'{action}:{text}'.encode()).hexdigest()[:32]}"
        return Reply(name, action, text=text, reference=reference)


class ReporterSender(ReplyTeller):
    """Tells the hub. A repeat is harmless: the Idempotency-Key comes of the row's id. Words about a case that
    is open again already are passed on as a reply."""

    may_not, refused = "pass replies on", "a reporter's reply was refused; the others go on"

    def __init__(
        self, hub: Channel, spool: Spool, outbox: Outbox, replies: Replies, postponed: Postponed
    ) -> None:
        super().__init__(hub, spool, replies, postponed)
        self._outbox = outbox

    async def _tell(self, reply: Reply) -> None:
        entry = self._outbox.find([reply.reference]).get(reply.reference)
        if entry is None or entry.case_id is None or entry.state == "erased":
            raise ReplyRefused(GONE)
        case_id = entry.case_id
        if reply.action == "reopen":
            try:
                path = path_of("cases", case_id, "reopening")
                await self._hub.post(path, {"reason": reply.text}, reply.key())
                return
            except HubRefused as problem:
                if problem.status != 409 or problem.state in (*_ENDED, ""):
                    raise
        await self._hub.post(path_of("cases", case_id, "replies"), {"text": reply.text}, reply.key("words"))
