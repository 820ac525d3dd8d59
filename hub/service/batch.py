"""Many commands, one transaction.

lock → reserve keys → reserve references → load → decide one by one over the overlay → take the tail →
write events, tables and mailbox entries → commit. Nothing is answered before the commit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog

from hub.domain.events import Recorded
from hub.errors import (
    Held,
    Internal,
    OutcomeUnknown,
    Overtaken,
    Problem,
    RowRefused,
    StoreUnavailable,
    Unavailable,
)
from hub.ports.bus import Committed
from hub.ports.clock import Clock, rfc3339
from hub.ports.effects import (
    Effects,
    MailboxEntry,
    Reference,
    Remembered,
)
from hub.ports.sealing import Sealing
from hub.ports.store import Store, WriteTransaction
from hub.service.decide import Decider
from hub.service.loading import load
from hub.service.noted import Journals
from hub.service.overlay import Overlay
from hub.service.replies import note_taken
from hub.service.requests import Outcome, Refuse, Request, Result

log = structlog.get_logger(__name__)

REFUSED: Final = "The database refused this; it was not accepted. The cause is in the hub's log."
AWAY: Final = "The hub cannot write now; nothing was accepted. Try again."
UNKNOWN: Final = (
    "The hub lost its database while this was being stored and does not know yet whether it was. Send it "
    "again with the same Idempotency-Key or reference: what was accepted is then shown, and nothing is made "
    "twice."
)
REFUSED_CAUSE: Final = "the database refused it"
HELD: Final = "Another process of the hub is working on this case or agency just now. Try again."
OVERTAKEN_PAUSES_S: Final = (0.002, 0.01, 0.05)
"""A batch that another process overtook is run again so often, after a random part of each pause."""
CRASHED: Final = "The hub failed on this request; nothing was accepted. The cause is in its log."
CRASHED_CAUSE: Final = "the hub failed on it"
"""The cause of a dead letter that was the hub's own fault."""


class BatchRunner:
    """Runs batches on the caller's thread."""

    def __init__(
        self,
        store: Store,
        decider: Decider,
        sealing: Sealing,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
        journals: Journals | None = None,
    ) -> None:
        self._store = store
        self._decider = decider
        self._sealing = sealing
        self._clock = clock
        self._sleep = sleep
        self._journals = journals or Journals()
        self.heard: Callable[[str | None], None] = lambda cause: None
        """Told of each commit (None) and of each refusal by the database (its cause), before any answer."""

    def run(self, batch: Sequence[Request]) -> tuple[list[Result], list[Committed]]:
        """A result a request, in order, and what was committed. Never raises for one request's
        sake: if the database refuses a row, the batch is halved until the culprit stands alone. Held is the
        result of what concerns a stream that another process holds: run it again in a later batch."""
        try:
            return self._attempts(batch)
        except StoreUnavailable as away:
            self.heard(str(away))
            log.debug("store_unavailable", cause=str(away), waiting=len(batch))  # `heard` says it once
            sentence = UNKNOWN if isinstance(away, OutcomeUnknown) else AWAY
            return [Unavailable(sentence, retry_after_s=5)] * len(batch), []
        except RowRefused as refused:
            if len(batch) > 1:
                return self._halves(batch)
            log.error("row_refused", cause=str(refused), command=type(batch[0].command).__name__)
            problem = Internal(REFUSED)
            if batch[0].origin is not None and not _is_plain(batch[0]):
                return self.run([replace(batch[0], command=Refuse(problem, REFUSED_CAUSE))])
            return [problem], []

    def _halves(self, batch: Sequence[Request]) -> tuple[list[Result], list[Committed]]:
        middle = len(batch) // 2
        left, left_commits = self.run(batch[:middle])
        right, right_commits = self.run(batch[middle:])
        return left + right, left_commits + right_commits

    def _attempts(self, batch: Sequence[Request]) -> tuple[list[Result], list[Committed]]:
        """Overtaken by another process, all is loaded and decided anew: the state is another one now."""
        for pause_s in OVERTAKEN_PAUSES_S:
            try:
                return self._attempt(batch)
            except Overtaken as overtaken:
                log.info("batch_overtaken", cause=str(overtaken), size=len(batch))
                self._sleep(random.uniform(0.0, pause_s))  # noqa: S311  # to part two that collide
        return self._attempt(batch)

    def _attempt(self, batch: Sequence[Request]) -> tuple[list[Result], list[Committed]]:
        self._sealing.refresh()
        self._decider.refresh()
        now = rfc3339(self._clock.now())
        with self._store.begin() as txn:
            overlay = load(txn, batch)
            effects = Effects()
            results = [self._one(request, overlay, effects, now) for request in batch]
            if not (overlay.events or effects.remembered or effects.next_offsets or overlay.departed):
                return results, []
            effects.keys += [self._sealing.wrap_now(key) for key in overlay.new_keys]
            committed = _flush(txn, overlay, effects)
            with self._journals.noted(overlay, now):
                txn.commit()
            self.heard(None)
            return results, committed

    def _one(self, request: Request, overlay: Overlay, effects: Effects, now: str) -> Result:
        """One request: refused, replayed, or decided and adopted. What came from the broker is answered there
        and never taken again, in this same transaction."""
        if overlay.is_held(request):
            return Held(HELD, retry_after_s=1)
        if request.origin is not None and overlay.has_taken(request.origin):
            return Outcome(200, "taken", (), replayed=True)
        result, dead = self._decided(request, overlay, effects, now)
        if request.origin is not None:
            note_taken(request, request.origin, result, dead, overlay, effects, now)
        return result

    def _decided(
        self, request: Request, overlay: Overlay, effects: Effects, now: str
    ) -> tuple[Result, str | None]:
        """The result, and why it is a dead letter if it is. A crash is logged and harms nobody."""
        try:
            outcome = self._decider.run(request, overlay, now)
        except Problem as refused:
            return refused, request.command.dead if isinstance(request.command, Refuse) else None
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("command_crashed", command=type(request.command).__name__)
            return Internal(CRASHED), CRASHED_CAUSE
        if not outcome.replayed:
            self._remember(request, outcome, overlay, effects, now)
        return outcome, None

    def _remember(
        self, request: Request, outcome: Outcome, overlay: Overlay, effects: Effects, now: str
    ) -> None:
        if request.intake is not None and outcome.status == 201 and request.reference:
            agency, name = request.reference
            reference = Reference(agency, name, outcome.ids[0], now)
            overlay.references[agency, name] = reference
            effects.references.append(reference)
            effects.identities.append(request.intake.identity)
            effects.keys.append(self._sealing.wrap_now(request.intake.key))
        if request.idempotency is not None:
            row = Remembered(
                request.idempotency.key,
                request.idempotency.body,
                outcome.status,
                outcome.kind,
                outcome.ids,
                now,
            )
            overlay.remembered[row.key] = row
            effects.remembered.append(row)


def _is_plain(request: Request) -> bool:
    """Whether it is already the least that is written of a record: nothing of the sender's but its id."""
    return isinstance(request.command, Refuse) and request.command.dead == REFUSED_CAUSE


def _flush(txn: WriteTransaction, overlay: Overlay, effects: Effects) -> list[Committed]:
    """Positions are given here, under the tail's lock, so that they are dense and in commit order."""
    last = txn.tail()
    readers = sorted({agency for event in overlay.events for agency in event.recipients})
    heads = txn.mailbox_heads(readers)
    for position, event in enumerate(overlay.events, last + 1):
        effects.events.append(
            Recorded(
                position, event.stream, event.sequence, event.id, event.header, event.sealed, event.chain
            )
        )
        for agency in event.recipients:
            heads[agency] = heads.get(agency, 0) + 1
            effects.mailbox.append(MailboxEntry(agency, heads[agency], position))
    effects.new_cases = [overlay.cases[case_id] for case_id in overlay.new_cases]
    effects.changed_cases = [overlay.cases[case_id] for case_id in overlay.changed_cases - overlay.new_cases]
    effects.holders = overlay.holders
    effects.departed = overlay.departed
    effects.dated_facts = overlay.dated_facts
    effects.threads = [overlay.threads[name] for name in sorted(overlay.changed_threads)]
    effects.rooms = [overlay.threads[name] for name in sorted(overlay.changed_rooms)]
    effects.messages = [overlay.messages[name] for name in sorted(overlay.changed_messages)]
    effects.destroyed = overlay.destroyed
    effects.agencies = [overlay.agencies[agency] for agency in sorted(overlay.changed_agencies)]
    txn.write(effects)
    if not overlay.events:
        return []
    return [Committed(last + 1, last + len(overlay.events), frozenset(readers))]
