"""What the agency's own system says about its forwardings, on its way to the hub, each once by its own id."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson

from connectors.spool import Spool

ACTIONS = ("accept", "return", "progress", "answer")


class ReplyRefused(ValueError):
    """A reply that no hub would take; the text says which field and what would be right."""


@dataclass(frozen=True)
class Reply:
    """One action on one forwarding. `case_id` serves where the system does not know the forwarding's id."""

    id: str
    action: str
    forwarding_id: str = ""
    case_id: str = ""
    text: str = ""
    reason: str = ""
    suggested_agency: str = ""

    def body(self) -> dict[str, Any]:
        """What the hub's route takes."""
        if self.action == "accept":
            return {}
        if self.action in ("progress", "answer"):
            return {"text": self.text}
        parts = {"reason": self.reason, "text": self.text, "suggested_agency": self.suggested_agency}
        return {name: value for name, value in parts.items() if value}


def read_reply(raw: dict[str, Any]) -> Reply:
    """A reply from a row or a JSON body; raises ReplyRefused."""
    known = {name: "" if raw.get(name) is None else str(raw[name]).strip() for name in Reply.__annotations__}
    reply = Reply(**known)
    if not reply.id:
        raise ReplyRefused("id: is missing; give each reply an id of its own, such as its row's number")
    if reply.action not in ACTIONS:
        raise ReplyRefused(f"action: must be one of {', '.join(ACTIONS)}")
    if not (reply.forwarding_id or reply.case_id):
        raise ReplyRefused("forwarding_id: is missing; give it, or the case_id")
    if reply.action in ("progress", "answer") and not reply.text:
        raise ReplyRefused(f"text: {reply.action} needs a text")
    if reply.action == "return" and not reply.reason:
        raise ReplyRefused(
            "reason: not_ours, outside_region, needs_information, duplicate or other (with text)"
        )
    return reply


class Replies:
    """The answers table of the spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def take(self, reply: Reply, now: str) -> bool:
        """Keeps a reply; False when its id was here before."""
        with self._spool.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO answers (id, body, state, taken_at) VALUES (?, ?, 'pending', ?) "
                "ON CONFLICT DO NOTHING",
                (reply.id, orjson.dumps(reply), now),
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

    def known(self, ids: list[str]) -> set[str]:
        rows = self._spool.connection.execute(
            "SELECT id FROM answers WHERE id IN (SELECT value FROM json_each(?))",
            (orjson.dumps(ids).decode(),),
        )
        return {str(row[0]) for row in rows}

    def waiting(self, limit: int) -> list[tuple[Reply, bool]]:
        """The replies to send, oldest first, and whether each was tried before."""
        rows = self._spool.connection.execute(
            "SELECT body, attempted FROM answers WHERE state = 'pending' ORDER BY taken_at, id LIMIT ?",
            (limit,),
        )
        return [(Reply(**orjson.loads(body)), bool(attempted)) for body, attempted in rows]

    def mark_attempted(self, reply_id: str) -> None:
        with self._spool.transaction() as connection:
            connection.execute("UPDATE answers SET attempted = 1 WHERE id = ?", (reply_id,))

    def choose(self, reply: Reply, forwarding_id: str) -> Reply:
        """Keeps which forwarding a reply that named only its case is for."""
        chosen = replace(reply, forwarding_id=forwarding_id)
        with self._spool.transaction() as connection:
            connection.execute("UPDATE answers SET body = ? WHERE id = ?", (orjson.dumps(chosen), reply.id))
        return chosen

    def done(self, reply_id: str) -> None:
        self._end(reply_id, "done", None)
        self._spool.moved["reply"] += 1

    def refuse(self, reply_id: str, reason: str) -> None:
        self._end(reply_id, "refused", reason)

    def troubles(self, limit: int = 500) -> list[tuple[str, str, str]]:
        return self._spool.connection.execute(
            "SELECT id, state, coalesce(reason, '') FROM answers WHERE state = 'refused' LIMIT ?", (limit,)
        ).fetchall()

    def _end(self, reply_id: str, state: str, reason: str | None) -> None:
        with self._spool.transaction() as connection:
            connection.execute(
                "UPDATE answers SET state = ?, reason = ?, body = NULL WHERE id = ?",
                (state, reason, reply_id),
            )
