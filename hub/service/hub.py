"""What the outside may ask of the hub: every route of the API is one call here, and nothing else writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from auth import policy
from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.audience import frozen_at
from hub.domain.case import Case
from hub.domain.evolution import evolve
from hub.domain.privacy import mask, own_values
from hub.domain.rendering import cloud_event
from hub.errors import NotFound, Problem
from hub.ports.sealing import Sealing
from hub.ports.store import CaseFilter, ReadSession
from hub.service.ids import Ids
from hub.service.intake import ComplaintDesk
from hub.service.mailboxes import Mailboxes
from hub.service.opening import Opener
from hub.service.registry import Registry
from hub.service.requests import Command, Idempotency, Outcome, Request
from hub.service.rights import NOTHING, allow, require_scope, there
from hub.service.threads import Readers, Writer
from hub.service.views import case_view, forwarding_view, frozen_view

HISTORY_PAGE = 1000


@dataclass(slots=True)
class Hub:
    """The service's face. Made by the composition root (`hub/app.py`)."""

    public_url: str
    registry: Registry
    desk: ComplaintDesk
    writer: Writer
    readers: Readers
    mailboxes: Mailboxes
    sealing: Sealing
    ids: Ids

    # --- writing -----------------------------------------------------------------------------------------

    async def submit(
        self, principal: Principal, document: Any, idempotency: Idempotency | None = None
    ) -> Outcome:
        """One complaint. 201 new, 200 the same again; else the Problem is raised."""
        self.desk.require_scope(principal)
        request = self.desk.prepare(principal, document, idempotency)
        return await self._one(request)

    async def act(
        self,
        principal: Principal,
        command: Command,
        *,
        idempotency: Idempotency | None = None,
        if_match: int | None = None,
    ) -> Outcome:
        """Any other command. Its texts must be masked already (`mask_text`)."""
        return await self._one(Request(principal, command, idempotency, None, if_match))

    async def _one(self, request: Request) -> Outcome:
        (result,) = await self.writer.submit([request])
        if isinstance(result, Problem):
            raise result
        return result

    def idempotency(
        self, principal: Principal, method: str, path: str, key: str | None, body: bytes
    ) -> Idempotency | None:
        """The keyed hashes under which a write is remembered; None without an Idempotency-Key."""
        if key is None:
            return None
        scope = "\n".join((principal.client_id, method, path, key)).encode()
        digest = self.sealing.hub_digest
        return Idempotency(digest("idempotency-key", scope), digest("idempotency-body", body))

    async def mask_text(self, case_id: str, texts: Sequence[str]) -> tuple[list[str], list[str]]:
        """What officers wrote, masked on entry (DESIGN decision 11): NIK, phones, e-mails, the reporter's own
        values. Gives the masked texts and the kinds of what was found, which the writer is told."""
        own = await self.readers.run(lambda session: self._own_values(session, case_id))
        masked = [mask(text, own) for text in texts]
        return [m.text for m in masked], sorted({f.kind for m in masked for f in m.found})

    # --- rights, before a body is judged ------------------------------------------------------------------

    async def check(
        self, principal: Principal, action: str, *, case_id: str | None = None, leg_id: str | None = None
    ) -> str:
        """Existence and rights on a read connection: 404, 410 or 403; gives the case's id. What passes is
        decided again in the transaction."""

        def look(session: ReadSession) -> str:
            found = case_id or (session.case_of_leg(leg_id) if leg_id else None)
            case = there(session.case(found) if found else None)
            allow(principal, action, case, leg_id)
            return case.state.id

        return await self.readers.run(look)

    async def case_of_leg(self, leg_id: str) -> str:
        found = await self.readers.run(lambda session: session.case_of_leg(leg_id))
        if found is None:
            raise NotFound(NOTHING)
        return found

    # --- reading -------------------------------------------------------------------------------------------

    async def case(self, principal: Principal, case_id: str) -> dict[str, Any]:
        """CONTRACT's `case`, as the caller may see it now."""
        return await self.readers.run(lambda session: self._case(session, principal, case_id))

    def _case(self, session: ReadSession, principal: Principal, case_id: str) -> dict[str, Any]:
        case = there(session.case(case_id))
        reading = allow(principal, "read", case).reading
        if reading is policy.Reading.FROZEN:
            then = self._replay(session, case_id, frozen_at(case.state, principal.agency) or 0)
            return frozen_view(then, case, principal.agency)
        return case_view(case, principal.agency, reporter_name=self._name(session, case))

    async def seen_by(self, principal: Principal, case: Case) -> dict[str, Any]:
        """A case that this process has just written, without reading it again where nothing is missing."""
        if case.state.anonymous or case.state.confidential:
            return case_view(case, principal.agency)
        name = await self.readers.run(lambda session: self._name(session, case))
        return case_view(case, principal.agency, reporter_name=name)

    async def forwardings(
        self, principal: Principal, case_id: str, leg_ids: Sequence[str]
    ) -> list[dict[str, Any]]:
        """The named legs of a case, in this order, as the caller may see them now."""

        def look(session: ReadSession) -> list[dict[str, Any]]:
            case = there(session.case(case_id))
            allow(principal, "read", case)
            legs = [leg for leg_id in leg_ids if (leg := case.state.leg(leg_id)) is not None]
            return [forwarding_view(leg, case_id, case.texts) for leg in legs]

        return await self.readers.run(look)

    async def cases(
        self, principal: Principal, wanted: CaseFilter, after: tuple[str, ...] | None, limit: int
    ) -> tuple[list[dict[str, Any]], tuple[str, ...] | None]:
        """A page of cases and the keyset of its last one, None at the end."""

        def look(session: ReadSession) -> tuple[list[dict[str, Any]], tuple[str, ...] | None]:
            found = session.cases(principal.agency, wanted, after, limit + 1)
            items = [self._case(session, principal, state.id) for _, state in found[:limit]]
            return items, found[limit - 1][0] if len(found) > limit else None

        require_scope(principal, "cases:read")
        return await self.readers.run(look)

    async def history(
        self, principal: Principal, case_id: str, after: int, limit: int
    ) -> tuple[list[dict[str, Any]], int | None]:
        """A case's events as CloudEvents, oldest first, and the sequence to go on after (None at the end)."""

        def look(session: ReadSession) -> tuple[list[dict[str, Any]], int | None]:
            case = there(session.case(case_id))
            reading = allow(principal, "history", case).reading
            last = case.state.version
            if reading is policy.Reading.FROZEN:
                last = frozen_at(case.state, principal.agency) or 0
            events = [e for e in session.stream(case_id, after, limit + 1) if e.sequence <= last]
            key, opener = session.keys([case_id]).get(case_id), Opener(self.sealing)
            shown = [
                cloud_event(event.fact(), opener.texts(event, key), source=self.public_url)
                for event in events[:limit]
            ]
            return shown, events[limit - 1].sequence if len(events) > limit else None

        return await self.readers.run(look)

    def agency(self, agency_id: str) -> Agency:
        found = self.registry.agencies.get(agency_id)
        if found is None:
            raise NotFound(f"No agency {agency_id!r} is registered.")
        return found

    # --- helpers -------------------------------------------------------------------------------------------

    def _replay(self, session: ReadSession, case_id: str, version: int) -> Case:
        """The case as it stood at `version`, folded from its events."""
        key, opener = session.keys([case_id]).get(case_id), Opener(self.sealing)
        case: Case | None = None
        while True:
            events = session.stream(case_id, case.state.version if case else 0, HISTORY_PAGE)
            for event in events:
                if event.sequence > version:
                    break
                case = evolve(case, event.fact(), opener.texts(event, key))
            if not events or events[-1].sequence >= version:
                break
        return there(case)

    def _identity(self, session: ReadSession, case_id: str) -> dict[str, Any]:
        key = session.keys([case_id]).get(case_id)
        row = session.identity(case_id) if key else None
        if key is None or row is None:
            return {}
        opened = self.sealing.open_identity(self.sealing.open_stream_key(key), case_id, row.sealed)
        identity: dict[str, Any] = orjson.loads(opened)
        return identity

    def _name(self, session: ReadSession, case: Case) -> str | None:
        if case.state.anonymous or case.state.confidential:
            return None
        return self._identity(session, case.state.id).get("name")

    def _own_values(self, session: ReadSession, case_id: str) -> list[str]:
        case, identity = session.case(case_id), self._identity(session, case_id)
        hidden = case is not None and (case.state.anonymous or case.state.confidential)
        return own_values(identity, hidden=hidden)
