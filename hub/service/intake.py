"""A complaint as it arrived → a sealed request that waits for the transaction. Everything that costs
processor time (checking, masking, sealing) happens here, outside of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.commands import SubmitComplaint
from hub.domain.decisions import check_addressed
from hub.domain.privacy import ComplaintParts, reference_flaws, split_complaint, takes_long
from hub.errors import Forbidden, Invalid
from hub.ports.clock import Clock
from hub.ports.effects import Identity
from hub.ports.sealing import Part, Sealing, StreamKey
from hub.service.ids import Ids, tracking_number
from hub.service.requests import Idempotency, Intake, Request, named_files
from hub.service.rights import allow_without_case
from schemas.categories import Categories
from schemas.complaint_check import check_complaint
from schemas.regions import Regions
from schemas.registry import Registry as Schemas


@dataclass(frozen=True, slots=True)
class ComplaintCodes:
    """What a complaint is checked against besides the registry of agencies."""

    schemas: Schemas
    regions: Regions
    categories: Categories


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
        self._aside = ThreadPoolExecutor(1, "long-words")

    def require_scope(self, principal: Principal) -> None:
        """403 unless the client may submit; asked before the body is judged."""
        allow_without_case(principal, "submit")

    async def prepared(
        self, principal: Principal, document: Any, idempotency: Idempotency | None = None
    ) -> Request:
        """`prepare` for the event loop: words that take long are looked through on a thread, one such
        complaint at a time, so that whoever sends many waits for them alone."""
        self._admit(principal, document)
        if not takes_long(document):
            return self._sealed(principal, document, idempotency)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._aside, self._sealed, principal, document, idempotency)

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
