"""A complaint as it arrived → a sealed request that waits for the transaction. Everything that costs
processor time (checking, masking, sealing) happens here, outside of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.commands import SubmitComplaint
from hub.domain.decisions import check_addressed
from hub.domain.privacy import ComplaintParts, reference_flaws, split_complaint, takes_long
from hub.errors import Forbidden, Invalid, Unavailable
from hub.ports.clock import Clock
from hub.ports.effects import Identity
from hub.ports.sealing import Part, Sealing, StreamKey
from hub.service.ids import Ids, tracking_number
from hub.service.requests import Idempotency, Intake, Request, named_files
from hub.service.rights import allow_without_case
from hub.service.writer import STOP_S
from schemas.categories import Categories
from schemas.complaint_check import check_complaint
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

log = structlog.get_logger(__name__)

LONG_WORDS: Final = 64
"""Complaints with words that take long that may wait or be under way; beyond it a caller gets 503."""
SHARE: Final = 4
"""One agency has a quarter of that, so that those of others find room."""


@dataclass(frozen=True, slots=True)
class ComplaintCodes:
    """What a complaint is checked against besides the registry of agencies."""

    schemas: Schemas
    regions: Regions
    categories: Categories


class LongWords:
    """The one thread on which words that take long are looked through, in the order in which they came. To be
    used from the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "long-words")
        self._agencies: dict[Future[Request], str] = {}
        """What waits or is under way, and whose it is."""
        self._stopping = False

    async def run(self, agency: str, work: Callable[[], Request]) -> Request:
        """What `work` gives. Unavailable where too many wait already, of this agency or of all, and for what
        still waits when the hub stops."""
        self._go_on()
        theirs = list(self._agencies.values()).count(agency)
        if len(self._agencies) >= LONG_WORDS or theirs >= LONG_WORDS // SHARE:
            raise Unavailable("The hub has too much to do; try again in a moment.", retry_after_s=1)
        future = self._thread.submit(self._done, work)
        self._agencies[future] = agency
        future.add_done_callback(lambda done: self._agencies.pop(done, None))
        return await asyncio.wrap_future(future)

    def _done(self, work: Callable[[], Request]) -> Request:
        self._go_on()
        return work()

    def _go_on(self) -> None:
        if self._stopping:
            raise Unavailable("The hub is starting or stopping; try again in a moment.", retry_after_s=2)

    async def stop(self) -> None:
        """Takes no more and gives up what waits; then the thread ends. Waits up to STOP_S for what is under
        way: a MiB of nothing but numbers takes longer."""
        self._stopping = True
        self._thread.shutdown(wait=False)
        _, late = await asyncio.to_thread(wait_for, tuple(self._agencies), STOP_S)
        if late:
            log.warning("long_words_not_ended", after_s=STOP_S, complaints=len(late))


class ComplaintDesk:
    """Checks complaints against schema, codes and registry, and makes requests of them."""

    def __init__(
        self,
        *,
        codes: ComplaintCodes,
        agencies: Mapping[str, Agency],
        sealing: Sealing,
        ids: Ids,
        clock: Clock,
    ) -> None:
        self._codes = codes
        self._agencies = agencies
        self._sealing = sealing
        self._ids = ids
        self._clock = clock
        self._aside = LongWords()

    def require_scope(self, principal: Principal) -> None:
        """403 unless the client may submit; asked before the body is judged."""
        allow_without_case(principal, "submit")

    async def prepare_aside(
        self, principal: Principal, document: Any, idempotency: Idempotency | None = None
    ) -> Request:
        """`prepare` for the event loop: words that take long are looked through on a thread, one complaint at
        a time, and wait only for others of their kind. Unavailable (503) where too many wait."""
        self._admit(principal, document)
        if not takes_long(document):
            return self._sealed(principal, document, idempotency)
        return await self._aside.run(principal.agency, lambda: self._sealed(principal, document, idempotency))

    async def stop(self) -> None:
        """The end of the hub: words that still wait are given up, with 503."""
        await self._aside.stop()

    def prepare(self, principal: Principal, document: Any, idempotency: Idempotency | None = None) -> Request:
        """The request, or Invalid (422, every flaw with its pointer) or Forbidden (403, another agency's
        name in `source.agency`)."""
        self._admit(principal, document)
        return self._sealed(principal, document, idempotency)

    def _admit(self, principal: Principal, document: Any) -> None:
        self._check(document)
        agency = document["source"]["agency"]
        if agency != principal.agency:
            # The transaction, which judges addressed_to, never sees this one; 422 comes before this 403.
            check_addressed(document.get("addressed_to") or (), agency, self._agencies.get)
            raise Forbidden(
                f"source.agency is {agency!r}, but this client belongs to {principal.agency!r}; an agency "
                "submits in its own name only.",
                flaws=[("/source/agency", f"Write {principal.agency!r} here.")],
            )

    def _check(self, document: Any) -> None:
        found = check_complaint(
            document,
            now=self._clock.now(),
            registry=self._codes.schemas,
            regions=self._codes.regions,
            categories=self._codes.categories,
        )
        flaws = [(flaw.pointer, flaw.detail) for flaw in found] or reference_flaws(document)
        if flaws:
            raise Invalid(f"The complaint has {len(flaws)} flaw(s); each is named below.", flaws=flaws)

    def _sealed(
        self, principal: Principal, document: dict[str, Any], idempotency: Idempotency | None
    ) -> Request:
        parts = split_complaint(document)
        case_id, event_id = self._ids.new(), self._ids.new()
        key = self._sealing.new_stream_key(case_id)
        content = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
        command = SubmitComplaint(
            case_id=case_id,
            tracking_number=tracking_number(case_id),
            event_id=event_id,
            clear=parts.clear,
            masked=parts.masked,
            sealed=self._seal_words(key, event_id, parts),
            content_digest=self._sealing.keyed_digest(key, "content", content).hex(),
        )
        identity = self._sealing.seal_identity(key, case_id, orjson.dumps(parts.identity))
        intake = Intake(
            key, Identity(case_id, identity), content, named_files(document.get("attachments") or ())
        )
        return Request(principal, command, idempotency, intake)

    def _seal_words(self, key: StreamKey, event_id: str, parts: ComplaintParts) -> bytes:
        sealed: dict[Part, bytes] = {"masked": orjson.dumps(parts.masked)}
        if parts.original:
            sealed["original"] = orjson.dumps(parts.original)
        return self._sealing.seal_event(key, event_id, sealed)
