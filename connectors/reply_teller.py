"""What whoever tells the hub of spooled replies has in common: one after the other, a refusal ends that one
alone, and one at which the hub fails (500) waits by itself, with the later ones of its subject."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import structlog

from connectors.channel import Channel
from connectors.errors import HubFailed, HubRefused, NotAllowed, NotNow
from connectors.hub_answers import bars_client
from connectors.pauses import AGAIN, FAILS_AT_ALL, FAILURES_IN_A_ROW, Postponed
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

    def __init__(self, hub: Channel, spool: Spool, replies: Replies, postponed: Postponed) -> None:
        """`postponed` holds subjects, as Replies.waiting names them."""
        self._hub, self._spool, self._replies, self._postponed = hub, spool, replies, postponed

    async def step(self) -> bool:
        waiting = self._replies.waiting(AT_ONCE, lambda subject: subject not in self._postponed)
        failing = self._postponed.due(AGAIN)
        mended = False
        try:
            await self._send_new(waiting)
            for subject in failing:
                mended = await self._try_again(subject) or mended
        finally:
            if waiting or failing:
                self._spool.forget_freed()
        return mended or len(waiting) == AT_ONCE

    async def _send_new(self, waiting: Sequence[tuple[str, Reply]]) -> None:
        failures = 0
        for subject, reply in waiting:
            if subject in self._postponed:
                continue  # the one before it waits
            failures = 0 if await self._try_one(subject, reply) else failures + 1
            if failures == FAILURES_IN_A_ROW:
                raise NotNow(FAILS_AT_ALL)

    async def _try_again(self, subject: str) -> bool:
        """The first that waits of this subject; True when its others may go too."""
        for _, reply in self._replies.waiting(1, lambda other: other == subject):
            if not await self._try_one(subject, reply):
                return False
        self._postponed.forget(subject)
        return True

    async def _try_one(self, subject: str, reply: Reply) -> bool:
        """False when the hub failed at it; it is tried again after its pause."""
        try:
            await self._send(reply)
        except HubFailed as failure:
            if self._postponed.postpone(subject):
                log.warning(
                    "the hub fails at this reply; trying again, the others go on",
                    reply=reply.id,
                    reason=str(failure),
                )
            self._replies.note_failure(reply.id, str(failure))
            return False
        return True

    async def _send(self, reply: Reply) -> None:
        try:
            await self._tell(reply)
        except (HubRefused, ReplyRefused) as error:
            if isinstance(error, HubRefused) and bars_client(error):
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
