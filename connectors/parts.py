"""To which case a forwarding or consultation belongs, and to which agency this one's work on it passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.replies import Reply
from connectors.spool import Spool

_NAMED = (("forwarding", "id"), ("consultation", "id"))


class Parts:
    """The parts table of the spool: ids alone."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def note(self, event: Mapping[str, Any]) -> None:
        """What an event of a case says that belongs to it."""
        data = event.get("data")
        if not isinstance(data, Mapping) or "case_id" not in data:
            return
        with self._spool.transaction() as connection:
            for group, member in _NAMED:
                part = data.get(group)
                if isinstance(part, Mapping) and member in part:
                    connection.execute(
                        "INSERT INTO parts (part, case_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                        (str(part[member]), str(data["case_id"])),
                    )

    def pass_on(self, parts: Sequence[str], case_id: str, to: str | None) -> None:
        """They are `to`'s now; None: they came here (again)."""
        with self._spool.transaction() as connection:
            connection.executemany(
                "INSERT INTO parts (part, case_id, handed_to) VALUES (?, ?, ?) "
                "ON CONFLICT (part) DO UPDATE SET handed_to = excluded.handed_to",
                [(part, case_id, to) for part in parts],
            )

    def successor(self, reply: Reply) -> str | None:
        """Whose the reply's forwarding or consultation is since this agency handed it over; by its case alone
        only where nothing of the case is with this agency any more."""
        part = reply.forwarding_id or reply.consultation_id
        if part:
            row = self._spool.connection.execute(
                "SELECT handed_to FROM parts WHERE part = ?", (part,)
            ).fetchone()
            return str(row[0]) if row and row[0] else None
        rows = self._spool.connection.execute(
            "SELECT handed_to FROM parts WHERE case_id = ? AND handed_to IS NOT NULL", (reply.case_id,)
        ).fetchall()
        return str(rows[-1][0]) if rows and reply.case_id else None

    def waiting_for(self, parts: Sequence[str], case_id: str) -> list[str]:
        """Ids of the replies that wait for one of these parts, or name the case alone."""
        rows = self._spool.connection.execute(
            "SELECT id, body FROM answers WHERE state = 'pending' AND body IS NOT NULL"
        )
        found = []
        for reply_id, body in rows:
            if Reply(**orjson.loads(body)).part() in (*parts, case_id):
                found.append(str(reply_id))
        return found


def passed_to(agency: str) -> str:
    """Why a reply is refused."""
    return f"this work was handed over to {agency} before the reply was sent; it is that agency's to answer"
