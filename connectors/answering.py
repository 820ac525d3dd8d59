"""[answers]: what the agency's own system says about its forwardings, read there and told to the hub once."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
import structlog

from connectors.channel import Channel, path_of
from connectors.database import Database, Rows
from connectors.dialects.base import parameters_in
from connectors.errors import ConfigRefused, HubRefused
from connectors.options import option
from connectors.parts import Parts, passed_to
from connectors.pauses import Postponed
from connectors.replies import Replies, Reply, ReplyRefused, check_target, read_reply
from connectors.reply_teller import ReplyTeller
from connectors.spool import Spool
from connectors.statements import check_single
from connectors.values import clean_text
from connectors.wording import of_section
from connectors.words import one_line
from schemas.case_states import OPEN_LEG

log = structlog.get_logger("simpul-connector")
_ROUTES = {
    "accept": "acceptance",
    "return": "return",
    "progress": "progress",
    "answer": "answer",
    "reconsider": "reconsideration",
}
_DONE_WHEN = {
    "accept": ("accepted", "in_progress", "answered"),
    "return": ("returned",),
    "progress": (),
    "answer": ("answered",),
    "reconsider": (),
    "verdict": ("answered",),
}
_OPEN_FOR = {"accept": ("sent",), **dict.fromkeys(("return", "progress", "answer", "reconsider"), OPEN_LEG)}
"""The states of a forwarding in which the hub takes an action; of `sent` the acceptance is taken first."""


@dataclass(frozen=True, kw_only=True)
class AnswersTable:
    """[answers.table]: rows, read after a rising column, the last ones again each time."""

    query: str = option(
        reason="gives id, action (accept, return, progress, answer, reconsider, verdict, message), "
        "forwarding_id or case_id or consultation_id or thread_id, text?, reason?, verdict?, "
        "suggested_agency?, scope?, officer?, with "
        "`id > :cursor ORDER BY id LIMIT :limit` inside"
    )
    start_after: int | str = option(0, reason="rows up to this id are left alone")
    every_s: float = option(2.0, reason="how often new rows are looked for", minimum=0.05)
    page: int = option(200, reason="rows read at once; more than the window", minimum=2, maximum=10000)
    window: int = option(50, reason="rows read again each time, for rows commit late", minimum=0)


@dataclass(frozen=True, kw_only=True)
class AnswersHttp:
    """[answers.http]: an endpoint of the connector, POST /replies, for the agency's system."""

    listen: str = option("127.0.0.1:8090", reason="address and port to listen on")
    token_env: str = option(reason="the environment variable with the token that the system sends as Bearer")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """[answers]: without it officers answer elsewhere."""

    table: AnswersTable | None = option(None, reason="replies are rows")
    http: AnswersHttp | None = option(None, reason="replies are POSTed to the connector")


def check_answers(answers: Answers, has_database: bool) -> None:
    table = answers.table
    if table and not {"cursor", "limit"} <= parameters_in(table.query):
        remedy = "add WHERE id > :cursor ORDER BY id LIMIT :limit"
        raise ConfigRefused("answers.table.query", "lacks :cursor or :limit", remedy)
    if table:
        check_single("answers.table.query", table.query)
    if table and table.page <= table.window:
        raise ConfigRefused("answers.table.page", "is not larger than the window", "give at least window + 1")
    if table and not has_database:
        raise ConfigRefused("database", "is missing", "[answers.table] needs [database] with url_env")


class Paged(Protocol):
    """Rows after a rising column, the last ones again each time."""

    @property
    def query(self) -> str: ...
    @property
    def start_after(self) -> int | str: ...
    @property
    def page(self) -> int: ...
    @property
    def window(self) -> int: ...


class ReplyRows:
    """Follows the rows of [answers.table]. A row counts once; a wrong one is named and passed over."""

    cursor_name, section = "replies_cursor", "[answers.table] query"

    def __init__(
        self,
        settings: Paged,
        database: Database,
        spool: Spool,
        replies: Replies,
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._database = settings, database
        self._spool, self._replies, self._now = spool, replies, now

    async def step(self) -> bool:
        """One pass over the window and what is new behind it; True when a page was full."""
        stored = self._spool.get(self.cursor_name)
        recent: list[Any] = orjson.loads(stored) if stored else []
        window_full = len(recent) > self._settings.window
        after = recent[0] if window_full else self._settings.start_after
        with of_section(self.section):
            rows = await self._database.read(lambda session: self._page(session, after))
        with self._spool.transaction():
            self._take(rows)
            kept = [row["id"] for row in rows]
            boundary = [after] if window_full else []
            recent = (boundary + kept)[-(self._settings.window + 1) :]
            self._spool.put(self.cursor_name, orjson.dumps(recent, default=str).decode())
        return len(rows) == self._settings.page

    def _page(self, session: Any, after: Any) -> Rows:
        rows: Rows = session.rows(self._settings.query, {"cursor": after, "limit": self._settings.page})
        return [row for row in rows if row.get("id") is not None]

    def _take(self, rows: Rows) -> None:
        named: dict[str, Any] = {}
        for row in rows:
            shown = clean_text(row["id"])[0]  # blanks that a CHAR column puts at the end are no part of it
            try:
                if named.setdefault(shown, row["id"]) != row["id"]:
                    raise ReplyRefused("id: is that of another row but for blanks or control characters")
                reply = read_reply(
                    {**row, "id": shown if isinstance(row["id"], (str, bytes)) else row["id"]}, "row-"
                )
                self._replies.take(reply, self._now().isoformat())
            except ReplyRefused as error:
                self._refuse(row["id"], str(error))

    def _refuse(self, raw_id: Any, reason: str) -> None:
        name = one_line(f"row-{raw_id}")
        if self._replies.refuse_row(name, reason, self._now().isoformat()):
            log.warning("reply refused; the others go on", reply=name, reason=reason)


class ReplySender(ReplyTeller):
    """Tells the hub. A repeat is harmless: the Idempotency-Key comes of the reply's id, and a conflict is
    settled by looking at the forwarding. Whoever answers has accepted: that step is taken where it was left
    out."""

    may_not, refused = "act", "reply refused by the hub; the others go on"

    def __init__(
        self, hub: Channel, spool: Spool, replies: Replies, agency: str, postponed: Postponed
    ) -> None:
        super().__init__(hub, spool, replies, postponed)
        self._agency, self._parts = agency, Parts(spool)

    def _explained(self, reply: Reply, error: HubRefused | ReplyRefused) -> str:
        successor = self._parts.successor(reply) if reply.action != "message" else None
        return passed_to(successor) if successor else str(error)

    async def _tell(self, reply: Reply) -> None:
        check_target(reply)  # an older connector took replies unseen
        if reply.action == "verdict":
            await self._advise(reply)
            return
        if reply.action == "message":
            await self._speak(reply)
            return
        if not reply.forwarding_id:
            # chosen once and kept: after a crash another one may be the newest that is open
            reply = self._replies.choose(reply, await self._own_leg(reply))
        await self._act(reply, reply.forwarding_id)

    async def _advise(self, reply: Reply) -> None:
        """A consultation is answered once; one that somebody here answered elsewhere is done."""
        path = path_of("consultations", reply.consultation_id, "answer")
        try:
            await self._hub.post(path, reply.body(), reply.key())
        except HubRefused as problem:
            if problem.status != 409 or problem.state not in _DONE_WHEN[reply.action]:
                raise

    async def _speak(self, reply: Reply) -> None:
        """A message in a thread. A client that may not write there loses its messages alone."""
        try:
            await self._hub.post(path_of("threads", reply.thread_id, "messages"), reply.body(), reply.key())
        except HubRefused as problem:
            if problem.is_kind("insufficient-scope"):
                raise ReplyRefused(
                    f"{problem}; give it again under a new id when the client may"
                ) from problem
            raise

    async def _act(self, reply: Reply, forwarding_id: str) -> None:
        try:
            await self._post(reply, forwarding_id)
        except HubRefused as problem:
            if problem.status != 409:
                raise
            status = problem.state or await self._status(reply, forwarding_id)
            if status in _DONE_WHEN[reply.action]:
                return
            if status not in ("sent", "") or reply.action not in ("progress", "answer"):
                raise
            path = path_of("forwardings", forwarding_id, "acceptance")
            await self._hub.post(path, {}, f"accept-{forwarding_id}")
            await self._post(reply, forwarding_id)

    async def _post(self, reply: Reply, forwarding_id: str) -> None:
        path = path_of("forwardings", forwarding_id, _ROUTES[reply.action])
        await self._hub.post(path, reply.body(), reply.key())

    async def _status(self, reply: Reply, forwarding_id: str) -> str:
        """The forwarding's present status, where the case can be asked for."""
        if not reply.case_id:
            return ""
        case = await self._hub.case(reply.case_id)
        return next((str(leg["status"]) for leg in case["forwardings"] if leg["id"] == forwarding_id), "")

    async def _own_leg(self, reply: Reply) -> str:
        """This agency's newest forwarding of the case that is open for the action, else its newest: a case
        may be forwarded to the same agency a second time."""
        case = await self._hub.case(reply.case_id)
        own = [leg for leg in reversed(case["forwardings"]) if leg["to"] == self._agency]
        if not own:
            raise ReplyRefused("case_id: this agency holds no forwarding of that case")
        leg = next((leg for leg in own if leg["status"] in _OPEN_FOR[reply.action]), own[0])
        return str(leg["id"])
