"""What the outside may ask of the hub: every route of the API is one call here, and nothing else writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.audience import Sight, sight
from hub.domain.case import Case, CaseState
from hub.domain.events import Fact, Recorded
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
from hub.service.rights import allow, require_scope, there
from hub.service.threads import Readers, Writer
from hub.service.views import case_view, forwarding_view, frozen_view

HISTORY_PAGE = 1000
Body = dict[str, Any]


class Masked(NamedTuple):
    """What an officer wrote as it may be kept, the kinds of what was masked, and the case it is about."""

    case_id: str
    texts: list[str]
    kinds: list[str]


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
        """Any other command. Its texts must be masked already (`mask_body`)."""
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

    # --- rights, before a body is judged and before an identity is opened ----------------------------------

    async def check(
        self, principal: Principal, action: str, *, case_id: str | None = None, leg_id: str | None = None
    ) -> str:
        """Existence and rights on a read connection: 404, 410 or 403; gives the case's id. What passes is
        decided again in the transaction."""
        case = await self.readers.run(lambda session: _allowed(session, principal, action, case_id, leg_id))
        return case.state.id

    async def mask_text(
        self,
        principal: Principal,
        action: str,
        texts: Sequence[str],
        *,
        case_id: str | None = None,
        leg_id: str | None = None,
    ) -> Masked:
        """What officers write, masked on entry (DESIGN decision 11): NIK, phones, e-mails, the reporter's own
        values. These are opened only for who may do the action (else `check`'s answers), and do not leave the
        reader's thread."""

        def look(session: ReadSession) -> Masked:
            case = _allowed(session, principal, action, case_id, leg_id)
            own = self._own_values(session, case.state) if texts else []
            masked = [mask(text, own) for text in texts]
            kinds: list[str] = sorted({found.kind for each in masked for found in each.found})
            return Masked(case.state.id, [each.text for each in masked], kinds)

        return await self.readers.run(look)

    async def mask_body(
        self,
        principal: Principal,
        action: str,
        body: Body,
        members: Sequence[str],
        *,
        case_id: str | None = None,
        leg_id: str | None = None,
    ) -> tuple[str, Body, list[str]]:
        """`mask_text` for the named members of a command's body, and for its files' names, which are words
        too: the case's id, the masked body, the kinds."""
        given = [name for name in members if body.get(name) is not None]
        files = body.get("attachments") or []
        texts = [*(body[name] for name in given), *(file["name"] for file in files)]
        if case_id is not None and not texts:
            return case_id, body, []
        found = await self.mask_text(principal, action, texts, case_id=case_id, leg_id=leg_id)
        masked = body | dict(zip(given, found.texts, strict=False))
        if files:
            names = found.texts[len(given) :]
            masked["attachments"] = [file | {"name": name} for file, name in zip(files, names, strict=True)]
        return found.case_id, masked, found.kinds

    # --- reading -------------------------------------------------------------------------------------------

    async def case(self, principal: Principal, case_id: str) -> dict[str, Any]:
        """CONTRACT's `case`, as the caller may see it now."""
        return await self.readers.run(lambda session: self._case(session, principal, case_id))

    def _case(self, session: ReadSession, principal: Principal, case_id: str) -> dict[str, Any]:
        case = there(session.case(case_id))
        allow(principal, "read", case)
        seen = sight(case.state, principal.agency)
        if not seen.whole:
            return frozen_view(self._replay(session, case_id, seen.until), case, principal.agency)
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
            legs = {leg.id: leg for leg in sight(case.state, principal.agency).legs(case.state)}
            return [forwarding_view(legs[each], case_id, case.texts) for each in leg_ids if each in legs]

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
            allow(principal, "history", case)
            seen = _events(session, case_id, sight(case.state, principal.agency), after, limit + 1)
            key, opener = session.keys([case_id]).get(case_id), Opener(self.sealing)
            shown = [
                cloud_event(fact, opener.texts(event, key), source=self.public_url)
                for event, fact in seen[:limit]
            ]
            return shown, seen[limit - 1][1].sequence if len(seen) > limit else None

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

    def _own_values(self, session: ReadSession, state: CaseState) -> list[str]:
        identity = self._identity(session, state.id)
        return own_values(identity, hidden=state.anonymous or state.confidential)


def _allowed(
    session: ReadSession, principal: Principal, action: str, case_id: str | None, leg_id: str | None
) -> Case:
    """The case that the id or the leg names, if the action on it is allowed."""
    found = case_id or (session.case_of_leg(leg_id) if leg_id else None)
    case = there(session.case(found) if found else None)
    allow(principal, action, case, leg_id)
    return case


def _events(
    session: ReadSession, case_id: str, seen: Sight, after: int, count: int
) -> list[tuple[Recorded, Fact]]:
    """The next `count` events of the case that the reader sees, fewer at the end of what it may see."""
    found: list[tuple[Recorded, Fact]] = []
    while len(found) < count and after < seen.until:
        events = session.stream(case_id, after, count)
        facts = [(event, event.fact()) for event in events]
        found += [(event, fact) for event, fact in facts if seen.shows(fact)]
        after = events[-1].sequence if events else seen.until
    return found[:count]
