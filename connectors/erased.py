"""Cases that were erased in the hub: nothing readable of them stays in the spool, and which of them still
wait for the agency's own copies to go. What stays are ids, and keyed hashes by which a row is known again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from connectors.events import ERASED, RECEIPTED, short_type
from connectors.spool import Spool

GONE = "the hub erased this complaint; it is final"
OPEN, UNCONFIRMED, DONE = "open", "unconfirmed", "done"


class Erasures:
    """The erasures table of the spool, an erasure a row: `open` until the receipt was posted (done), or until
    only a person can say that the agency's copies are gone (unconfirmed)."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def take(self, event: Mapping[str, Any]) -> None:
        """Within the commit that takes the event: from then on nothing of the case is kept or handed over.
        The subject names the case also where the hub withholds the rest."""
        case_id = str(event["subject"])
        with self._spool.transaction() as connection:
            connection.execute(
                "INSERT INTO erasures (event_id, case_id, state) VALUES (?, ?, 'open') "
                "ON CONFLICT DO NOTHING",
                (str(event["id"]), case_id),
            )
            self.forget(case_id)

    def settle(self, case_id: str, state: str) -> None:
        with self._spool.transaction() as connection:
            connection.execute("UPDATE erasures SET state = ? WHERE case_id = ?", (state, case_id))

    def state(self, case_id: str) -> str | None:
        """None where nothing is known of an erasure; of several, the one that is least far."""
        states = {
            str(row[0])
            for row in self._spool.connection.execute(
                "SELECT state FROM erasures WHERE case_id = ?", (case_id,)
            )
        }
        return next((state for state in (OPEN, UNCONFIRMED, DONE) if state in states), None)

    def unconfirmed(self) -> list[str]:
        """Cases whose receipt waits for a person, for `check`; a spool of an older connector knows none."""
        known = self._spool.connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'erasures'")
        if known.fetchone() is None:
            return []
        rows = self._spool.connection.execute(
            "SELECT DISTINCT case_id FROM erasures WHERE state = 'unconfirmed' ORDER BY case_id"
        )
        return [str(row[0]) for row in rows]

    def keeps(self, event: Mapping[str, Any]) -> bool:
        """False for an event whose words come after the erasure of its case, or of all its cases."""
        data = event.get("data")
        if not isinstance(data, Mapping) or data.get("erased") or short_type(event) in (ERASED, RECEIPTED):
            return True
        cases = _cases_of(event)
        return not cases or not self._all_erased(cases)

    def was_handed_over(self, case_id: str, threads: Collection[str]) -> bool:
        """Whether anything of the case may have reached the agency's own system."""
        row = self._spool.connection.execute(
            "SELECT 1 FROM events WHERE subject IN (SELECT value FROM json_each(?)) AND state = 'done' "
            "AND event_id NOT IN (SELECT event_id FROM erasures) LIMIT 1",
            (orjson.dumps([case_id, *threads]).decode(),),
        ).fetchone()
        return row is not None

    def forget(self, case_id: str, reference: str | None = None, parts: Collection[str] = ()) -> None:
        """Deletes what is readable of the case. `reference`: of this app's own report, where the spool did
        not know yet that it is this case. `parts`: ids of its forwardings, where the hub tells them."""
        with self._spool.transaction() as connection:
            references = {
                str(row[0])
                for row in connection.execute(
                    "SELECT reference FROM complaints WHERE case_id = ? OR reference = ?",
                    (case_id, reference),
                )
            }
            for name in references:
                self._forget_complaint(name, case_id)
            connection.execute(
                "UPDATE lost SET digest = NULL WHERE case_id = ? OR reference = ?", (case_id, reference)
            )
            self._forget_events(case_id)
            self._forget_replies(case_id, references, parts)

    def _forget_complaint(self, reference: str, case_id: str) -> None:
        self._spool.connection.execute(
            "UPDATE complaints SET state = 'erased', case_id = ?, content = NULL, photos = NULL, "
            "digest = NULL, reason = ?, route = NULL, route_state = 'none', route_reason = NULL, "
            "where_written = NULL WHERE reference = ?",
            (case_id, GONE, reference),
        )

    def _forget_events(self, case_id: str) -> None:
        """What still waited, or was set aside, counts as handed over: a call may have arrived without its
        answer. An event of a thread goes when all its cases are erased, as its words in the hub do."""
        connection = self._spool.connection
        rows = connection.execute(
            "SELECT number, body FROM events WHERE body IS NOT NULL AND state IN ('pending', 'failed') "
            "AND (subject = ? OR instr(body, CAST(? AS BLOB)) > 0)",
            (case_id, case_id),
        ).fetchall()
        for number, body in rows:
            if not self.keeps(orjson.loads(body)):
                connection.execute(
                    "UPDATE events SET state = 'done', body = NULL, reason = NULL WHERE number = ?", (number,)
                )

    def _forget_replies(self, case_id: str, references: Collection[str], parts: Collection[str]) -> None:
        connection = self._spool.connection
        known = connection.execute("SELECT part FROM parts WHERE case_id = ?", (case_id,))
        mine = {case_id, *parts, *(str(row[0]) for row in known)}
        rows = connection.execute(
            "SELECT id, body, of_reference FROM answers WHERE body IS NOT NULL"
        ).fetchall()
        for reply_id, body, of_reference in rows:
            reply = orjson.loads(body)
            named = {reply.get(name) for name in ("case_id", "forwarding_id", "consultation_id")}
            if of_reference in references or named & mine:
                connection.execute(
                    "UPDATE answers SET state = 'refused', reason = ?, body = NULL WHERE id = ?",
                    (GONE, reply_id),
                )

    def _all_erased(self, cases: Collection[str]) -> bool:
        row = self._spool.connection.execute(
            "SELECT count(DISTINCT case_id) FROM erasures WHERE case_id IN (SELECT value FROM json_each(?))",
            (orjson.dumps(list(cases)).decode(),),
        ).fetchone()
        return int(row[0]) == len(set(cases))


def _cases_of(event: Mapping[str, Any]) -> list[str]:
    """The case that the event is about; of a thread's, those whose reporters a message is for, else all the
    thread's."""
    data = event["data"]
    if "thread_id" not in data:
        return [str(data["case_id"])] if "case_id" in data else []
    message = data.get("message")
    named = message.get("cases") if isinstance(message, Mapping) else None
    return [str(each) for each in named or data.get("cases") or ()]
