"""What one agency may see of a thread's events, one by one: what its mailbox got and still shows, and what it
was shown when it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.events import Fact
from hub.domain.threads.audience import sees_commitment, sees_message
from hub.domain.threads.evolution import MESSAGE_EVENTS
from hub.domain.threads.thread import Message, ThreadState


@dataclass(frozen=True, slots=True)
class ThreadSight:
    """`messages` are the thread's, by id. `whole`: nothing in a thread's headers is for some of its readers
    alone."""

    agency: str
    state: ThreadState
    messages: Mapping[str, Message]
    whole: bool = True

    def shows(self, fact: Fact) -> bool:
        """Whether it sees this event of the thread."""
        found = self.state.participant(self.agency)
        if found is None or not found.sees(fact.sequence):
            return False
        if fact.type in MESSAGE_EVENTS:
            known_message = self.messages[fact.data["message"]["id"]]
            message = known_message.state
            if fact.type != "thread.message_withdrawn" and self._went_alone(known_message):
                return False
            taken_back = message.withdrawn_at is not None and message.author != self.agency
            is_told = fact.type == "thread.message_withdrawn" or not taken_back
            return is_told and sees_message(self.state, message, self.agency)
        if fact.type.startswith("thread.commitment_"):
            known = self.state.commitment(fact.data["commitment"]["id"])
            return known is not None and sees_commitment(self.state, known, self.agency)
        return True

    def _went_alone(self, message: Message) -> bool:
        """Erased with the case whose reporter it was for, while its thread and the thread's key stay."""
        return message.texts is None and not self.state.erased
