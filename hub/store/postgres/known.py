"""What a process knows of its database, which may be replaced under it by an older copy, as a failover to a
standby does that was behind. Its positions and generations are then given out a second time, for other events
and changes: whatever the process remembers by them would be taken for what it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from hub.domain.events import Recorded
from hub.ports.store import MailboxRow
from hub.store.reading import Session
from hub.store.statements import Statements

Saw = Callable[[int, str | None], None]
"""(position, id of the event there, None if it was not told)"""

THERE: Final = (
    "SELECT (SELECT value FROM facts WHERE name = 'incarnation'), "
    "(SELECT value FROM facts WHERE name = 'registry_generation'), "
    "(SELECT max(position) FROM log), (SELECT id FROM log WHERE position = ?)"
)
OLDER: Final = (
    "The database lacks what this hub had acknowledged or shown ({what}): an older copy has taken its place, "
    "such as a standby that was behind. Stop the hub on every machine, and do not start it again before the "
    "right database is back or this one was renewed: see `Lose a database` in the runbook."
)


class Known:
    """The last position that was written or seen committed, and the last one whose event is known too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._position = 0
        self._witness = (0, "")

    def saw(self, position: int, event_id: str | None) -> None:
        with self._lock:
            self._position = max(self._position, position)
            if event_id is not None and position > self._witness[0]:
                self._witness = position, event_id

    def lacking(self, connection: Any, incarnation: str | None, generation: int) -> str | None:
        """What the database at `connection` lacks of it and of the registry's `generation`; None too where
        another incarnation than `incarnation` is there, which has positions of its own."""
        with self._lock:  # before the database is asked: others go on committing
            position, (at, event_id) = self._position, self._witness
        if not position and not generation:
            return None
        incarnation_there, generation_there, last, found = connection.execute(THERE, (at,)).fetchone()
        if incarnation not in (None, incarnation_there):
            return None
        if (last or 0) < position:
            return f"its log ends at {last or 0}, not at {position}"
        if at and found != event_id:
            return f"its log has another event at {at}"
        if int(generation_there or 0) < generation:
            return f"its registry was changed {generation_there or 0} times, not {generation}"
        return None


class WitnessingSession(Session):
    """Remembers what whoever reads the log or a mailbox was shown of the log's end."""

    def __init__(self, connection: Any, sql: Statements, saw: Saw) -> None:
        super().__init__(connection, sql)
        self._saw = saw

    def events_after(self, position: int, limit: int) -> list[Recorded]:
        return self._seen(super().events_after(position, limit))

    def mailbox(self, agency: str, after: int, limit: int) -> list[MailboxRow]:
        rows = super().mailbox(agency, after, limit)
        self._seen([row.event for row in rows[-1:]])
        return rows

    def _seen(self, events: list[Recorded]) -> list[Recorded]:
        if events:
            self._saw(events[-1].position, events[-1].id)
        return events
