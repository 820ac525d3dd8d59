"""What whoever tells the hub of spooled replies has in common: one after the other, a refusal ends that one
alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import structlog

from connectors.channel import Channel
from connectors.errors import HubRefused, NotAllowed
from connectors.replies import Replies, Reply, ReplyRefused
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
AT_ONCE = 50


class ReplyTeller(ABC):
    """A repeat is harmless: the Idempotency-Key comes of the reply's id."""

    may_not: ClassVar[str]
    """What the hub does not let a client do that it bars."""
    refused: ClassVar[str]
    """What is logged of a reply that the hub, or we, refused."""

    def __init__(self, hub: Channel, spool: Spool, replies: Replies) -> None:
        self._hub, self._spool, self._replies = hub, spool, replies

    async def step(self) -> bool:
        waiting = self._replies.waiting(AT_ONCE)
        try:
            for reply in waiting:
                await self._send(reply)
        finally:
            if waiting:
                self._spool.forget_freed()
        return len(waiting) == AT_ONCE

    async def _send(self, reply: Reply) -> None:
        try:
            await self._tell(reply)
        except (HubRefused, ReplyRefused) as error:
            if isinstance(error, HubRefused) and error.bars_client:
                raise NotAllowed(f"the hub does not let this client {self.may_not}: {error}") from error
            reason = self._explained(reply, error)
            self._replies.refuse(reply.id, reason)
            log.warning(self.refused, reply=reply.id, reason=reason)
        else:
            self._replies.done(reply.id)

    def _explained(self, reply: Reply, error: HubRefused | ReplyRefused) -> str:
        """For a person."""
        return str(error)

    @abstractmethod
    async def _tell(self, reply: Reply) -> None:
        """Raises HubRefused or ReplyRefused for what will never be taken."""
