"""Complaints that wait in the words of an earlier mapping: what the hub does not have is mapped anew first.

A complaint that was tried may have arrived, so the hub is asked; what it has stays as it was sent.
"""

from __future__ import annotations

from typing import Any

import orjson
import structlog

from connectors.channel import Channel
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
PAGE = 1000


class Remapping:
    """For one start of the connector: its mapping does not change while it runs."""

    def __init__(self, hub: Channel, spool: Spool, fingerprint: bytes, by_http: bool) -> None:
        """`by_http`: by Kafka a record may still lie in the topic, and nobody could say that the hub lacks
        it; what was tried goes as it was."""
        self._hub, self._spool, self._fingerprint = hub, spool, fingerprint
        self._asked = not by_http

    async def sendable(self) -> bytes | None:
        """The mapping whose complaints may be sent now; None for all of them, once every row was compared.
        Raises HubAway."""
        while not self._asked:
            tried = self._tried()
            if tried:
                answer = await self._hub.post("/v1/submissions/missing", {"references": tried})
                self._take_back(tried, set(map(str, answer.get("references", []))))
            self._asked = len(tried) < PAGE
        return self._fingerprint if self._spool.get("mapped_by") != self._fingerprint.hex() else None

    def _tried(self) -> list[str]:
        rows = self._spool.connection.execute(
            "SELECT reference FROM complaints WHERE state = 'pending' AND attempted = 1 AND mapped_by <> ? "
            "LIMIT ?",
            (self._fingerprint, PAGE),
        )
        return [str(row[0]) for row in rows]

    def _take_back(self, tried: list[str], missing: set[str]) -> None:
        """What the hub lacks was never tried, and all rows are compared again from the first; what it has
        counts as mapped by this mapping, for nothing else may be sent for it."""
        lacking: list[Any] = [(name,) for name in tried if name in missing]
        with self._spool.transaction() as connection:
            connection.executemany("UPDATE complaints SET attempted = 0 WHERE reference = ?", lacking)
            connection.execute(
                "UPDATE complaints SET mapped_by = ? WHERE state = 'pending' AND attempted = 1 "
                "AND reference IN (SELECT value FROM json_each(?))",
                (self._fingerprint, orjson.dumps(tried).decode()),
            )
            if lacking:
                self._spool.put("mapped_by", "")
                self._spool.put("rescan_at", "")
        if lacking:
            log.info("the mapping changed: what waits and the hub lacks is mapped anew", count=len(lacking))
