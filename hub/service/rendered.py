"""A mailbox entry as its agency may see it now: the same for pull, long poll, webhook, stream and topic."""

from __future__ import annotations

from typing import Any

from hub.domain.audience import Sight, sight
from hub.domain.events import Fact
from hub.domain.rendering import cloud_event
from hub.ports.sealing import Sealing
from hub.ports.store import MailboxRow, ReadSession
from hub.service.opening import Opener


class Renderer:
    """For one agency and one read session, on its thread. What the agency may no longer see (it left the
    case, and the event speaks of another's leg or came later) keeps its place, withheld (CONTRACT,
    Mailboxes)."""

    def __init__(self, session: ReadSession, agency: str, sealing: Sealing, public_url: str) -> None:
        self._session = session
        self._agency = agency
        self._opener = Opener(sealing)
        self._public_url = public_url
        self._sights: dict[str, Sight | None] = {}

    def event(self, row: MailboxRow, fact: Fact | None = None) -> dict[str, Any]:
        """The CloudEvent. `fact` is the row's, where the caller has it. Raises SealBroken for an event that
        cannot be opened."""
        fact = fact or row.event.fact()
        if row.left and not self._shows(fact):
            return cloud_event(fact, {}, source=self._public_url, withheld=True)
        return cloud_event(fact, self._opener.texts(row.event, row.key), source=self._public_url)

    def _shows(self, fact: Fact) -> bool:
        if fact.stream not in self._sights:
            case = self._session.case(fact.stream)
            self._sights[fact.stream] = sight(case.state, self._agency) if case else None
        seen = self._sights[fact.stream]
        return seen is None or seen.shows(fact)
