"""One line a minute at most that says what ended well, and the first of each kind at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog

from connectors.spool import Spool
from connectors.words import many

log = structlog.get_logger("simpul-connector")
EVERY_S = 60.0
_WAITING = "SELECT (SELECT count(*) FROM complaints WHERE state = 'pending') + (SELECT count(*) FROM events \
WHERE state = 'pending') + (SELECT count(*) FROM answers WHERE state = 'pending')"
_DONE = {
    "complaint": "sent",
    "forwarding": "made",
    "answer": "written",
    "status": "written",
    "message": "shown to reporters",
    "event": "handed over",
    "reply": "sent",
}


class Progress:
    """`spool.moved` is counted where something ends; here it is told."""

    def __init__(self, spool: Spool, now_s: Callable[[], float]) -> None:
        self._spool, self._now_s = spool, now_s
        self._told: Counter[str] = Counter()
        self._next_s = now_s()

    async def step(self) -> bool:
        moved = self._spool.moved - self._told
        is_first = any(name not in self._told for name in moved)
        if moved and (is_first or self._now_s() >= self._next_s):
            self._told = self._spool.moved.copy()
            self._next_s = self._now_s() + EVERY_S
            log.info(self._line(moved))
        return False

    def _line(self, moved: Counter[str]) -> str:
        parts = [f"{many(moved[name], name)} {done}" for name, done in _DONE.items() if moved[name]]
        waiting = self._spool.connection.execute(_WAITING).fetchone()[0]
        return ", ".join([*parts, f"{waiting} waiting"])
