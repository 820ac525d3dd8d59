"""Many commands, one transaction.

lock → look up all that is known beforehand → load what that names → decide one by one over the overlay →
take the tail → write events, tables and mailbox entries → commit. Nothing is answered before the commit."""

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
    StoreError,
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
from hub.ports.sealing import SealBroken, Sealing, SealingError
from hub.ports.store import Store, WriteTransaction
from hub.service.decide import Decider
from hub.service.loading import load
from hub.service.noted import Journals
from hub.service.overlay import Overlay
from hub.service.record_answers import note_taken
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
UNSEALED: Final = (
    "The hub lacks a key for what this is about; nothing was accepted. Its operator must put the master key "
    "file back; then try again."
)
BEHIND: Final = "An earlier record of the same partition waits; this one waits behind it."


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
        self._committing = False
        """Whether the last transaction may have taken effect, however it failed."""
        self.heard: Callable[[str | None], None] = lambda cause: None
        """Told of each commit (None) and of each refusal by the database (its cause), before any answer."""

    def run(self, batch: Sequence[Request]) -> tuple[list[Result], list[Committed]]:
        """A result a request, in order, and what was committed. Never raises: if the database refuses a row,
        or something crashes that is no one command, the batch is halved until the culprit stands alone.
        Unavailable is the result where no request is to blame; Held that of what concerns a stream which
        another process holds, and of what must wait behind it: run it again in a later batch."""
        try:
            return self._attempts(batch)
        except RowRefused as refused:
            if len(batch) == 1:
                log.error("row_refused", cause=str(refused), command=type(batch[0].command).__name__)
            return self._apart(batch, REFUSED, REFUSED_CAUSE)
        except (StoreError, SealingError) as away:
            self.heard(str(away))
            log.debug("store_unavailable", cause=str(away), waiting=len(batch))  # `heard` says it once
            return _waits(batch, UNKNOWN if isinstance(away, OutcomeUnknown) else AWAY)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as crash:  # a native library's panic is no Exception
            if self._committing or len(batch) == 1:
                log.error("batch_crashed", exc_info=crash, size=len(batch))
            if self._committing:
                return _waits(batch, UNKNOWN)
            return self._apart(batch, CRASHED, CRASHED_CAUSE)

    def _apart(
        self, batch: Sequence[Request], sentence: str, cause: str
    ) -> tuple[list[Result], list[Committed]]:
        """In halves; of one alone that came from the broker, that it was refused."""
        if len(batch) > 1:
            return self._halves(batch)
        (culprit,) = batch
        if culprit.origin is None:
            return [Internal(sentence)], []
        if not _is_plain(culprit):
            return self.run([replace(culprit, command=Refuse(Internal(sentence), cause))])
        return ([Internal(sentence)], []) if cause == REFUSED_CAUSE else _waits(batch, AWAY)

    def _halves(self, batch: Sequence[Request]) -> tuple[list[Result], list[Committed]]:
        """A later place in a partition stands for every record before it: none goes on in the right half
        whose neighbour in the left one must wait."""
        middle = len(batch) // 2
        left, commits = self.run(batch[:middle])
        stopped = {
            request.origin.partition_of_topic
            for request, result in zip(batch, left, strict=False)
            if request.origin is not None and isinstance(result, Unavailable)
        }
        behind = [
            request.origin is not None and request.origin.partition_of_topic in stopped
            for request in batch[middle:]
        ]
        ahead = [request for request, waits in zip(batch[middle:], behind, strict=True) if not waits]
        right, more = self.run(ahead) if ahead else ([], [])
        results = iter(right)
        held = Held(BEHIND, retry_after_s=1)
        return left + [held if waits else next(results) for waits in behind], commits + more

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
        self._committing = False
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
            self._committing = True
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
        if request.origin is None:
            return result
        if isinstance(result, Unavailable):
            overlay.stop(request.origin)
        else:
            note_taken(request, request.origin, result, dead, overlay, effects, now)
        return result

    def _decided(
        self, request: Request, overlay: Overlay, effects: Effects, now: str
    ) -> tuple[Result, str | None]:
        """The result, and why it is a dead letter if it is. A crash is logged and harms nobody. A key that
        the master key file lacks is no request's fault: whoever needs it waits, alone."""
        try:
            outcome = self._decider.run(request, overlay, now)
        except Problem as refused:
            return refused, request.command.dead if isinstance(request.command, Refuse) else None
        except StoreError:
            raise
        except Exception as crash:
            if isinstance(crash, SealingError) and not isinstance(crash, SealBroken):
                log.error("key_unavailable", cause=str(crash), command=type(request.command).__name__)
                return Unavailable(UNSEALED, retry_after_s=60), None
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


def _waits(batch: Sequence[Request], sentence: str) -> tuple[list[Result], list[Committed]]:
    return [Unavailable(sentence, retry_after_s=5)] * len(batch), []


def _is_plain(request: Request) -> bool:
    """Whether it is already the least that is written of a record: nothing of the sender's but its id."""
    command = request.command
    return isinstance(command, Refuse) and command.dead in (REFUSED_CAUSE, CRASHED_CAUSE)


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
