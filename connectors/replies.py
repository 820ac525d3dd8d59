"""What the agency's own system says about its forwardings and consultations, or an app's reporter about the
answer, on its way to the hub: each once by its own id."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import orjson

from connectors.spool import Spool

ACTIONS = ("accept", "return", "progress", "answer", "reconsider", "verdict", "message")
VERDICTS = ("ours", "partly", "not_ours")
SCOPES = ("internal", "agencies", "reporter")
ID_LIMIT = 240
"""Characters of a reply's own id; with what is put before it, no longer than the hub's Idempotency-Key."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")  # what the hub takes as an Idempotency-Key
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ReplyRefused(ValueError):
    """A reply that no hub would take; the text says which field and what would be right."""


@dataclass(frozen=True)
class Reply:
    """One action on one forwarding (`verdict`: on one consultation, `message`: in one thread). `case_id`
    serves where the system does not know the forwarding's id; beside it, `forwarding_id` decides. `reference`
    stands in a reporter's words alone (reporter_words.py)."""

    id: str
    action: str
    forwarding_id: str = ""
    case_id: str = ""
    text: str = ""
    reason: str = ""
    suggested_agency: str = ""
    consultation_id: str = ""
    verdict: str = ""
    reference: str = ""
    thread_id: str = ""
    scope: str = ""
    officer: str = ""

    def part(self) -> str:
        """What it is about: a forwarding or consultation, or a case. A message is about none."""
        if self.action == "message":
            return ""
        return self.forwarding_id or self.consultation_id or self.case_id

    def subject(self) -> str:
        """Within what it keeps its order, as far as it says that itself: a case, a thread, or a report."""
        return self.part() or self.thread_id or self.reference

    def key(self, prefix: str = "reply") -> str:
        """The Idempotency-Key: the id, where the hub takes it as it is, else its hash."""
        plain = f"{prefix}-{self.id}"
        return plain if _KEY.fullmatch(plain) else f"{prefix}-{hashlib.sha256(self.id.encode()).hexdigest()}"

    def body(self) -> dict[str, Any]:
        """What the hub's route takes."""
        if self.action == "accept":
            return {}
        if self.action in ("progress", "answer"):
            return {"text": self.text}
        if self.action == "message":
            return self._message()
        if self.action == "reconsider":
            return {"reason": self.text or self.reason}
        parts = {"verdict": self.verdict} if self.action == "verdict" else {"reason": self.reason}
        parts |= {"text": self.text, "suggested_agency": self.suggested_agency}
        return {name: value for name, value in parts.items() if value}

    def _message(self) -> dict[str, Any]:
        """Beside a `case_id`, one to that case's reporter alone."""
        body: dict[str, Any] = {"text": self.text, "scope": self.scope}
        body |= {"officer": self.officer} if self.officer else {}
        return body | ({"cases": [self.case_id]} if self.case_id and self.scope == "reporter" else {})


def read_reply(raw: dict[str, Any], prefix: str) -> Reply:
    """A reply from a row or a JSON body; raises ReplyRefused. `prefix` goes before its id, so that those of
    one source are never those of another."""
    members = set(Reply.__annotations__) - {"id", "reference"}
    known = {name: _text(name, raw.get(name)) for name in members}
    reply = Reply(prefix + read_id(raw.get("id")), **known)
    if reply.action not in ACTIONS:
        raise ReplyRefused(f"action: must be one of {', '.join(ACTIONS)}")
    check_target(reply)
    if reply.action in ("progress", "answer", "message") and not reply.text:
        raise ReplyRefused(f"text: {reply.action} needs a text")
    if reply.action == "return" and not reply.reason:
        raise ReplyRefused(
            "reason: not_ours, outside_region, needs_information, duplicate or other (with text)"
        )
    if reply.action == "reconsider" and not (reply.text or reply.reason):
        raise ReplyRefused("text: say why the forwarding should be reconsidered")
    if reply.action == "verdict" and reply.verdict not in VERDICTS:
        raise ReplyRefused(f"verdict: must be one of {', '.join(VERDICTS)}")
    if reply.action == "message" and reply.scope not in SCOPES:
        raise ReplyRefused(f"scope: must be one of {', '.join(SCOPES)}; it says who may read the message")
    return reply


def read_id(raw: Any) -> str:
    """A reply's own id: a number, or a text of at most ID_LIMIT characters on one line."""
    text = _text("id", raw, stripped=False)
    if not text.strip():
        raise ReplyRefused("id: is missing; give each reply an id of its own, such as its row's number")
    if len(text) > ID_LIMIT:
        raise ReplyRefused(f"id: has {len(text)} characters; {ID_LIMIT} are the most")
    if _CONTROL.search(text):
        raise ReplyRefused("id: holds a line break or another control character; write it on one line")
    if text != text.strip():
        raise ReplyRefused("id: begins or ends with a blank; leave that out")
    return text


def check_target(reply: Reply) -> None:
    """Refuses what is no id of a forwarding, consultation, thread or case; it becomes part of an address of
    the hub."""
    if reply.action == "verdict" and not reply.consultation_id:
        raise ReplyRefused("consultation_id: is missing; give it as consultation.requested has it")
    if reply.action == "message" and not reply.thread_id:
        raise ReplyRefused("thread_id: is missing; give it as thread.opened has it")
    of_case = reply.action not in ("verdict", "message")
    if of_case and not (reply.forwarding_id or reply.case_id or reply.reference):
        raise ReplyRefused("forwarding_id: is missing; give it, or the case_id")
    for name in ("forwarding_id", "case_id", "consultation_id", "thread_id"):
        value = getattr(reply, name)
        if value and not _UUID.fullmatch(value):
            raise ReplyRefused(f"{name}: is no UUID; give the id as the hub's event has it")


def _text(name: str, value: Any, stripped: bool = True) -> str:
    """A text or a number as text; a flag, a list or an object is none."""
    if isinstance(value, (bool, list, dict)):
        raise ReplyRefused(f"{name}: must be a text")
    text = (
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str("" if value is None else value)
    )
    return text.strip() if stripped else text


class Replies:
    """The answers table of the spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def take(self, reply: Reply, now: str) -> bool:
        """Keeps a reply; False when its id was here before."""
        with self._spool.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO answers (id, body, state, taken_at, of_reference, of_part) "
                "VALUES (?, ?, 'pending', ?, ?, ?) ON CONFLICT DO NOTHING",
                (reply.id, orjson.dumps(reply), now, reply.reference or None, reply.part() or None),
            )
            return cursor.rowcount == 1

    def refuse_row(self, reply_id: str, reason: str, now: str) -> bool:
        """Remembers a row that no hub would take, so that it is named once; False when it was known."""
        with self._spool.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO answers (id, state, reason, taken_at) VALUES (?, 'refused', ?, ?) "
                "ON CONFLICT DO NOTHING",
                (reply_id, reason, now),
            )
            return cursor.rowcount == 1

    def waiting(
        self, limit: int, wanted: Callable[[str], bool] = lambda subject: True
    ) -> list[tuple[str, Reply]]:
        """The replies to send of the `wanted` subjects, oldest first, each with its subject: within one they
        keep their order. What a reporter says of a complaint that the hub does not have yet waits for it, and
        nobody behind it does."""
        rows = self._spool.connection.execute(
            "SELECT body, coalesce((SELECT case_id FROM parts WHERE part = of_part), of_part) FROM answers "
            "WHERE state = 'pending' AND (of_reference IS NULL OR EXISTS "
            "(SELECT 1 FROM complaints WHERE reference = of_reference AND state IN ('sent', 'erased'))) "
            "ORDER BY taken_at, id"
        )
        with closing(rows):  # an open one would hold the spool's log
            replies = ((part, Reply(**orjson.loads(body))) for body, part in rows)
            named = ((part or reply.subject(), reply) for part, reply in replies)
            return list(islice((each for each in named if wanted(each[0])), limit))

    def choose(self, reply: Reply, forwarding_id: str) -> Reply:
        """Keeps which forwarding a reply that named only its case is for."""
        chosen = replace(reply, forwarding_id=forwarding_id)
        with self._spool.transaction() as connection:
            connection.execute("UPDATE answers SET body = ? WHERE id = ?", (orjson.dumps(chosen), reply.id))
        return chosen

    def note_failure(self, reply_id: str, reason: str) -> None:
        """The hub failed at it: for `check`, it waits on."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE answers SET reason = ?1 WHERE id = ?2 AND state = 'pending' AND reason IS NOT ?1",
                (reason, reply_id),
            )

    def done(self, reply_id: str) -> None:
        self._end(reply_id, "done", None)
        self._spool.moved["reply"] += 1

    def refuse(self, reply_id: str, reason: str) -> None:
        self._end(reply_id, "refused", reason)

    def explain(self, parts: Sequence[str], reason: str) -> None:
        """Why the hub did not let replies to these parts be given: it was asked before that was known."""
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE answers SET reason = ? WHERE state = 'refused' AND substr(reason, 1, 4) IN "
                "('403 ', '404 ') AND of_part IN (SELECT value FROM json_each(?))",
                (reason, orjson.dumps(list(parts)).decode()),
            )

    def last_told(self, limit: int) -> list[str]:
        """The ids of those that the hub took, the newest first."""
        rows = self._spool.connection.execute(
            "SELECT id FROM answers WHERE state = 'done' ORDER BY taken_at DESC, id LIMIT ?", (limit,)
        )
        return [str(row[0]) for row in rows]

    def troubles(self, limit: int = 500) -> list[tuple[str, str, str]]:
        """(id, state, reason) of whatever was refused, or waits because the hub fails at it."""
        return self._spool.connection.execute(
            "SELECT id, state, coalesce(reason, '') FROM answers "
            "WHERE state = 'refused' OR (state = 'pending' AND reason IS NOT NULL) LIMIT ?",
            (limit,),
        ).fetchall()

    def _end(self, reply_id: str, state: str, reason: str | None) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE answers SET state = ?, reason = ?, body = NULL WHERE id = ?",
                (state, reason, reply_id),
            )
