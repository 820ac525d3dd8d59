"""How a commit ended whose answer was lost: the database is asked, nothing is guessed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from hub.errors import OutcomeUnknown, StoreUnavailable
from hub.store.postgres.connections import WRITER, Connection
from hub.store.postgres.errors import translated
from hub.store.postgres.transaction import Witness

log = structlog.get_logger(__name__)

ASK_EVERY_S: Final = 0.1
STATUS: Final = "SELECT pg_xact_status(?::text::xid8)"


class OutcomeDesk:
    """Asks a new connection, until one answers or `limit_s` is over."""

    def __init__(
        self,
        connect: Callable[[str], Connection],
        limit_s: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._limit_s = limit_s
        self._sleep = sleep
        self._now = now

    def ask(self, xid: str, witness: Witness | None) -> bool:
        """Whether the transaction took effect. `in progress` is asked again: the server may not have noticed
        yet that its client is gone. Raises OutcomeUnknown when nobody answered in time."""
        until = self._now() + self._limit_s
        while True:
            try:
                ended = self._once(xid, witness)
            except StoreUnavailable as away:
                log.warning("commit_outcome_not_known_yet", xid=xid, cause=str(away))
                ended = None
            if ended is not None:
                log.warning("commit_answer_was_lost", xid=xid, committed=ended)
                return ended
            if self._now() >= until:
                raise OutcomeUnknown(
                    "The database was lost in the middle of a commit and did not come back in time to say "
                    "whether it took effect. Ask again with the same key or reference."
                )
            self._sleep(ASK_EVERY_S)

    def _once(self, xid: str, witness: Witness | None) -> bool | None:
        connection = self._connect(WRITER)
        try:
            with translated():
                status = _status(connection, xid)
                if status == "in progress":
                    return None
                return status == "committed" and (witness is None or _seen(connection, witness))
        finally:
            connection.close()


def _status(connection: Connection, xid: str) -> str | None:
    """A server that took over without ever hearing of the transaction calls its number one of the future."""
    try:
        status: str | None = connection.execute(STATUS, (xid,)).fetchone()[0]
    except psycopg.errors.InvalidParameterValue:
        return "aborted"
    return status


def _seen(connection: Connection, witness: Witness) -> bool:
    """After a takeover another transaction may bear the same number; its events are not ours."""
    position, event_id = witness
    row = connection.execute("SELECT id FROM log WHERE position = ?", (position,)).fetchone()
    return bool(row and row[0] == event_id)
