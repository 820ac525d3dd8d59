"""What the outside may ask of the hub about cases: submitting, acting, reading, masking. Routes and inbound
records call it; files, webhooks, tokens and agencies have desks of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from auth.principal import Principal
from hub.domain.agency import Agency
from hub.domain.audience import Sight, sight
from hub.domain.case import Case, CaseState
from hub.domain.events import Fact, Recorded
from hub.domain.evolution import evolve
from hub.domain.privacy import mask, own_values
from hub.errors import NotFound, Problem
from hub.ports.sealing import Sealing
from hub.ports.store import CaseFilter, ReadSession
from hub.service.ids import Ids
from hub.service.intake import ComplaintDesk
from hub.service.mailboxes import Mailboxes
from hub.service.registry import Registry
from hub.service.rendered import Rendering
from hub.service.requests import Command, Idempotency, Outcome, Request
from hub.service.rights import allow, allowed_case, require_scope, there
from hub.service.threads import Readers, Writer
from hub.service.views import case_view, consultation_view, forwarding_view, frozen_view

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
    rendering: Rendering = field(init=False)

    def __post_init__(self) -> None:
        self.rendering = Rendering(self.sealing, self.public_url)

    # --- writing -----------------------------------------------------------------------------------------

    async def submit(
        self, principal: Principal, document: Any, idempotency: Idempotency | None = None
    ) -> Outcome:
        """One complaint. 201 new, 200 the same again; else the Problem is raised."""
        self.desk.require_scope(principal)
        return await self._one(self.desk.prepare(principal, document, idempotency))

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
        case = await self.readers.run(
            lambda session: allowed_case(session, principal, action, case_id, leg_id)
        )
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
        """What officers write, masked on entry: NIK, phones, e-mails, the reporter's own
        values. These are opened only for who may do the action (else `check`'s answers), and do not leave the
        reader's thread."""

        def look(session: ReadSession) -> Masked:
            case = allowed_case(session, principal, action, case_id, leg_id)
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
        """The `case` of `GET /v1/cases/{id}`, as the caller may see it now."""
        return await self.readers.run(lambda session: self._case(session, principal, case_id))

    def _case(self, session: ReadSession, principal: Principal, case_id: str) -> dict[str, Any]:
        (view,) = self._views(session, principal, [there(session.case(case_id))])
        return view

    def _views(
        self, session: ReadSession, principal: Principal, cases: Sequence[Case]
    ) -> list[dict[str, Any]]:
        """Of each case in order; rights first, and no identity is opened for who sees a case frozen. Names
        are read in one go, however many cases there are."""
        for case in cases:
            allow(principal, "read", case)
        sights = [sight(case.state, principal.agency) for case in cases]
        whole = [case for case, seen in zip(cases, sights, strict=True) if seen.whole]
        names = self._names(session, whole)
        views = []
        for case, seen in zip(cases, sights, strict=True):
            if seen.whole:
                view = case_view(case, principal.agency, reporter_name=names.get(case.state.id))
            else:
                view = frozen_view(self._replay(session, case.state.id, seen.until), case, principal.agency)
            views.append(view)
        return views

    async def seen_by(self, principal: Principal, case: Case) -> dict[str, Any]:
        """A case that this process has just written, without reading it again where nothing is missing."""
        if case.state.anonymous or case.state.confidential:
            return case_view(case, principal.agency)
        names = await self.readers.run(lambda session: self._names(session, [case]))
        return case_view(case, principal.agency, reporter_name=names.get(case.state.id))

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

    async def consultation(self, principal: Principal, case_id: str, consultation_id: str) -> dict[str, Any]:
        """One question and its answer, as the caller may see it now."""

        def look(session: ReadSession) -> dict[str, Any]:
            case = there(session.case(case_id))
            allow(principal, "read", case)
            (asked,) = [each for each in case.state.consultations if each.id == consultation_id]
            return consultation_view(asked, case_id, case.texts)

        return await self.readers.run(look)

    async def cases(
        self, principal: Principal, wanted: CaseFilter, after: tuple[str, ...] | None, limit: int
    ) -> tuple[list[dict[str, Any]], tuple[str, ...] | None]:
        """A page of cases and the keyset of its last one, None at the end."""

        def look(session: ReadSession) -> tuple[list[dict[str, Any]], tuple[str, ...] | None]:
            found = session.cases(principal.agency, wanted, after, limit + 1)
            items = self._views(session, principal, [case for _, case in found[:limit]])
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
            key, opener = session.keys([case_id]).get(case_id), self.rendering.opener()
            shown = [self.rendering.event(event, fact, key, opener) for event, fact in seen[:limit]]
            return shown, seen[limit - 1][1].sequence if len(seen) > limit else None

        return await self.readers.run(look)

    def agency(self, agency_id: str) -> Agency:
        found = self.registry.agencies.get(agency_id)
        if found is None:
            raise NotFound(f"No agency {agency_id!r} is registered.")
        return found

    # --- inside --------------------------------------------------------------------------------------------

    def _replay(self, session: ReadSession, case_id: str, version: int) -> Case:
        """The case as it stood at `version`, folded from its events: one that cannot be opened adds no
        words."""
        key, opener = session.keys([case_id]).get(case_id), self.rendering.opener()
        case: Case | None = None
        while True:
            events = session.stream(case_id, case.state.version if case else 0, HISTORY_PAGE)
            for event in events:
                if event.sequence > version:
                    break
                fact = event.fact()
                case = evolve(case, fact, self.rendering.words(event, fact, key, opener))
            if not events or events[-1].sequence >= version:
                break
        return there(case)

    def _identities(self, session: ReadSession, case_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Opened; of those among the cases that have one and their key."""
        if not case_ids:
            return {}
        keys, rows = session.keys(case_ids), session.identities(case_ids)
        sealing, found = self.sealing, {}
        for case_id in keys.keys() & rows.keys():
            key = sealing.open_stream_key(keys[case_id])
            found[case_id] = orjson.loads(sealing.open_identity(key, case_id, rows[case_id].sealed))
        return found

    def _names(self, session: ReadSession, cases: Sequence[Case]) -> dict[str, str | None]:
        """The reporters' names, where neither flag hides them."""
        open_ = [case.state.id for case in cases if not (case.state.anonymous or case.state.confidential)]
        return {name: each.get("name") for name, each in self._identities(session, open_).items()}

    def _own_values(self, session: ReadSession, state: CaseState) -> list[str]:
        identity = self._identities(session, [state.id]).get(state.id, {})
        return own_values(identity, hidden=state.anonymous or state.confidential)


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
