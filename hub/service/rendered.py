"""An event as its reader may see it now: the same for pull, long poll, webhook, topic and history."""

from __future__ import annotations

from typing import Any, Final

import structlog

from hub.domain.audience import LINKED, Sight, sight
from hub.domain.events import ERASURE, RECEIPT, Fact, Recorded
from hub.domain.rendering import cloud_event
from hub.domain.threads.evolution import MESSAGE_EVENTS
from hub.domain.threads.views import WORDED
from hub.ports.sealing import SealBroken, Sealing, WrappedKey
from hub.ports.store import MailboxRow, ReadSession
from hub.service.opening import Opener

log = structlog.get_logger(__name__)

KEPT_IDS: Final = 1000


class Rendering:
    """What rendering keeps between sessions; one for each road, for the life of the process.

    One rule for an event that cannot be opened, because its sealed words or its stream's key were altered: it
    keeps its place on every road, withheld, and the log tells its ids once. An error would hold up everything
    behind it for ever. Leaving it out would tear a hole into positions that agencies count, whose digest
    (over positions and event ids) would no longer be theirs, and each road would tell another story.
    `simpul rebuild --check` fails on it until the log is restored from a backup. A master key that is not
    there (KeyUnavailable) is no event's fault, and is raised."""

    def __init__(self, sealing: Sealing, public_url: str) -> None:
        self._sealing = sealing
        self._public_url = public_url
        self._told: set[str] = set()

    def opener(self) -> Opener:
        return Opener(self._sealing)

    def mailbox(self, session: ReadSession, agency: str) -> Renderer:
        return Renderer(self, session, agency)

    def event(self, event: Recorded, fact: Fact, key: WrappedKey | None, opener: Opener) -> dict[str, Any]:
        """The CloudEvent of `event`, whose clear header is `fact`."""
        try:
            texts = opened(event, fact, key, opener)
        except SealBroken as broken:
            self.tell(event, broken)
            return self.withheld(fact)
        return cloud_event(fact, texts, source=self._public_url)

    def words(
        self, event: Recorded, fact: Fact, key: WrappedKey | None, opener: Opener
    ) -> dict[str, Any] | None:
        """As `Opener.texts`, for a fold of events: one that cannot be opened is told, and adds no words."""
        try:
            return opened(event, fact, key, opener)
        except SealBroken as broken:
            self.tell(event, broken)
            return {}

    def withheld(self, fact: Fact) -> dict[str, Any]:
        return cloud_event(fact, {}, source=self._public_url, withheld=True)

    def erased(self, fact: Fact) -> dict[str, Any]:
        return cloud_event(fact, None, source=self._public_url)

    def tell(self, event: Recorded, broken: SealBroken) -> None:
        """Ids only, and not at every read. Readers' threads may both tell the same one: harmless."""
        if event.id in self._told:
            return
        if len(self._told) >= KEPT_IDS:
            self._told.clear()
        self._told.add(event.id)
        log.error("event_cannot_be_opened", event_id=event.id, log_position=event.position, cause=str(broken))


def opened(event: Recorded, fact: Fact, key: WrappedKey | None, opener: Opener) -> dict[str, Any] | None:
    """The event's masked words. SealBroken also where they were taken away: a complaint always has some, and
    so has most of what happens in a thread."""
    if event.sealed is None and ("complaint" in fact.data or fact.type in WORDED):
        raise SealBroken(f"The sealed words of event {event.id} are gone.")
    return opener.texts(event, key)


class Renderer:
    """For one agency and one read session, on its thread. What the agency may no longer see (it left the
    case, and the event speaks of another's leg or came later; a message was taken back) keeps its place,
    withheld."""

    def __init__(self, rendering: Rendering, session: ReadSession, agency: str) -> None:
        self._rendering = rendering
        self._session = session
        self._agency = agency
        self._opener = rendering.opener()
        self._sights: dict[str, Sight | None] = {}

    def event(self, row: MailboxRow, fact: Fact | None = None) -> dict[str, Any]:
        """The CloudEvent. `fact` is the row's, where the caller has it."""
        fact = fact or row.event.fact()
        if row.left and fact.type in (ERASURE, RECEIPT):
            return self._told(row, fact)
        if row.left and fact.recipients.get(self._agency) != LINKED and not self._shows(fact):
            return self._rendering.withheld(fact)
        if fact.type in MESSAGE_EVENTS and self._is_withdrawn(fact):
            return self._rendering.withheld(fact)
        if fact.type in MESSAGE_EVENTS and self._is_erased(fact):
            return self._rendering.erased(fact)
        return self._rendering.event(row.event, fact, row.key, self._opener)

    def _told(self, row: MailboxRow, fact: Fact) -> dict[str, Any]:
        """Whoever left still has copies, and is told that they must go; not who owns the case since."""
        event = self._rendering.event(row.event, fact, row.key, self._opener)
        event["data"].pop("owner", None)
        return event

    def _is_withdrawn(self, fact: Fact) -> bool:
        """Whether the message's words were taken back since, from all but their author."""
        if fact.type == "thread.message_withdrawn" or fact.data["message"]["author"] == self._agency:
            return False
        message = self._session.message(fact.data["message"]["id"])
        return message is not None and message.state.withdrawn_at is not None

    def _is_erased(self, fact: Fact) -> bool:
        """Whether its words went with the cases whose reporters it was for, while others keep the thread."""
        if not fact.data["message"]["cases"] or fact.type == "thread.message_withdrawn":
            return False
        message = self._session.message(fact.data["message"]["id"])
        return message is not None and message.texts is None

    def _shows(self, fact: Fact) -> bool:
        if fact.stream not in self._sights:
            case = self._session.case(fact.stream)
            self._sights[fact.stream] = sight(case.state, self._agency) if case else None
        seen = self._sights[fact.stream]
        return seen is None or seen.shows(fact)
