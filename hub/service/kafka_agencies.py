"""Agencies that chose Kafka: whether they may, and the topics and rights that follow from the registry."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from auth.clients import Client
from auth.policy import TABLE, Action
from hub.domain.agency import Agency
from hub.errors import Invalid, SimpulError
from hub.ports.broker import Applied, Reader, Topics
from hub.service.acts import ACTS
from hub.service.registry import Registry

log = structlog.get_logger(__name__)

APPLY_WITHIN_S: Final = 10.0
LOOK_EVERY_S: Final = 1.0
EVERY_S: Final = 60.0
SOON_S: Final = 3.0
"""While a topic of the hub's own is gone: the log's lane, and who shares a transaction with it, wait."""
NOT_OFFERED: Final = (
    "This hub offers no Kafka to agencies: its operator has set no SIMPUL_KAFKA_AGENCY_BOOTSTRAP. "
    "Mailbox and webhook carry the same events."
)

READS: Final = "mailbox:read"
WRITES: Final = frozenset({TABLE[Action(act.action)].scope for act in ACTS.values()}) | {
    "complaints:write",
    "cases:read",
    "threads:write",
}
"""What a client must be allowed to write the inbound topic: all that a record may ask for, since the broker
does not say which of an agency's clients wrote it."""


class KafkaAgencies:
    """`topics` None: the hub has no broker, or no listener for agencies."""

    def __init__(self, topics: Topics | None, registry: Registry) -> None:
        self._topics = topics
        self._registry = registry
        self._applied: int | None = None

    def require_offered(self, kafka: bool) -> None:
        """Invalid at `/kafka` where agencies cannot choose it."""
        if kafka and self._topics is None:
            raise Invalid(NOT_OFFERED, flaws=[("/kafka", NOT_OFFERED)])

    def agencies(self) -> list[Agency]:
        return [a for a in self._registry.agencies.values() if a.kafka and a.active]

    def readers(self) -> list[Reader]:
        """Every client that may sign in at the broker now, and what its scopes let it do there."""
        chosen = {agency.id for agency in self.agencies()}
        clients: list[Client] = list(self._registry.clients.values())
        return [
            Reader(c.agency, c.id, writes=c.scopes >= WRITES, reads=READS in c.scopes)
            for c in clients
            if c.agency in chosen and c.revoked_at is None
        ]

    async def apply(self, *, dry_run: bool = False) -> Applied:
        """Topics and rights as the registry wants them now; raises BrokerAway, BrokerRefused."""
        if self._topics is None:
            return Applied()
        self._registry.refresh()
        names = [agency.id for agency in self.agencies()]
        return await self._topics.apply(names, self.readers(), dry_run=dry_run)

    async def follow(self) -> None:
        """After a change that this process made: at once, if the broker is there; else `watch` does it."""
        if self._topics is None:
            return
        try:
            async with asyncio.timeout(APPLY_WITHIN_S):
                await self.apply()
        except (TimeoutError, SimpulError) as error:
            log.warning("topics_not_applied", cause=str(error) or "no answer in time")

    async def watch(self) -> None:
        """Follows the registry for ever: changes of other processes, what an absent broker missed, and what
        somebody deleted there."""
        waited_s = EVERY_S
        while True:
            every_s = SOON_S if self._topics is not None and self._topics.missing else EVERY_S
            if self._has_changed() or waited_s >= every_s:
                waited_s = 0.0
                await self._bring_up()
            await asyncio.sleep(LOOK_EVERY_S)
            waited_s += LOOK_EVERY_S

    def _has_changed(self) -> bool:
        """Not where the database is away: then the next look tells."""
        try:
            self._registry.refresh()
        except SimpulError as error:
            log.warning("registry_not_read", cause=str(error))
            return False
        return self._applied != self._registry.generation

    async def _bring_up(self) -> None:
        generation = self._registry.generation
        try:
            applied = await self.apply()
        except SimpulError as error:
            log.warning("topics_not_applied", cause=str(error))
            return
        except Exception:  # it must go on: without it no agency's topics would ever be made
            log.exception("topics_crashed")
            return
        self._applied = generation
        for change in applied.changes:
            log.info("topics_changed", change=change)
