"""Threads in a rebuild: the events of one chunk, folded over what the chunks before them made."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from hub.domain.case import Case
from hub.domain.events import Fact, Recorded, is_thread_stream
from hub.domain.threads.audience import only_for
from hub.domain.threads.evolution import MESSAGE_EVENTS, evolve_message, evolve_thread
from hub.domain.threads.sharing import SHARING, share
from hub.domain.threads.thread import Message, Thread
from hub.ports.effects import Effects
from hub.ports.store import WriteTransaction


class ThreadFold:
    """`cases` are the ids of those that the chunk's threads share: load them too."""

    def __init__(self, target: WriteTransaction, events: Sequence[Recorded]) -> None:
        facts = [event.fact() for event in events if is_thread_stream(event.stream)]
        self.cases = {name for fact in facts if fact.type in SHARING for name in fact.data["cases"]}
        named = sorted({fact.data["message"]["id"] for fact in facts if fact.type in MESSAGE_EVENTS})
        threads = sorted({fact.subject for fact in facts})
        self._threads: dict[str, Thread] = target.load_threads(threads) if threads else {}
        self._messages: dict[str, Message] = target.load_messages(named) if named else {}
        self._rooms: set[str] = set()

    def fold(
        self,
        fact: Fact,
        texts: dict[str, Any] | None,
        cases: dict[str, Case],
        erased: Callable[[], Container[str]],
    ) -> None:
        """Moves the thread, its message, and in `cases` those that it shares. `erased` are the cases that the
        whole log tells are; it is asked only where a message is for reporters."""
        name = fact.subject
        self._threads[name] = evolve_thread(self._threads.get(name), fact, texts)
        if fact.type in MESSAGE_EVENTS:
            message_id = fact.data["message"]["id"]
            message = evolve_message(self._messages.get(message_id), fact, texts)
            if message.state.cases and only_for(message.state, erased()):
                message = Message(message.state, None)
            self._messages[message_id] = message
        else:
            self._rooms.add(name)
        if fact.type in SHARING:
            for case_id in fact.data["cases"]:
                known = cases[case_id]
                cases[case_id] = Case(share(known.state, fact), known.texts)

    def write(self, effects: Effects) -> None:
        effects.threads = list(self._threads.values())
        effects.rooms = [self._threads[name] for name in sorted(self._rooms)]
        effects.messages = list(self._messages.values())
