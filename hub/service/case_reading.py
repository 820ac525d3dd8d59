"""What agencies may read of cases: one, a list, its forwardings and consultations, its history. Rights first;
no identity is opened for who sees a case frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth.principal import Principal
from hub.domain.audience import Sight, sight
from hub.domain.case import Case
from hub.domain.events import Fact, Recorded
from hub.domain.evolution import evolve
from hub.domain.limits import Limits
from hub.ports.clock import Clock
from hub.ports.sealing import Sealing
from hub.ports.store import CaseFilter, ReadSession
from hub.service.identities import identities
from hub.service.rendered import Rendering
from hub.service.rights import allow, require_scope, there
from hub.service.threads import Readers
from hub.service.views import case_view, consultation_view, forwarding_view, frozen_view

HISTORY_PAGE = 1000


@dataclass(slots=True)
class CaseReading:
    readers: Readers
    sealing: Sealing
    rendering: Rendering
    clock: Clock
    limits: Limits

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
        views, now = [], self.clock.now()
        for case, seen in zip(cases, sights, strict=True):
            if seen.whole:
                view = self._view(case, principal, now, names.get(case.state.id))
            else:
                then = self._replay(session, case.state.id, seen.until)
                view = frozen_view(then, principal.agency, now, erased=case.texts is None)
            views.append(view)
        return views

    async def seen_by(self, principal: Principal, case: Case) -> dict[str, Any]:
        """A case that this process has just written, without reading it again where nothing is missing."""
        if case.state.anonymous or case.state.confidential:
            return self._view(case, principal, self.clock.now())
        names = await self.readers.run(lambda session: self._names(session, [case]))
        return self._view(case, principal, self.clock.now(), names.get(case.state.id))

    def _view(
        self, case: Case, principal: Principal, now: datetime, name: str | None = None
    ) -> dict[str, Any]:
        return case_view(case, principal.agency, now, self.limits, reporter_name=name)

    async def forwardings(
        self, principal: Principal, case_id: str, leg_ids: Sequence[str]
    ) -> list[dict[str, Any]]:
        """The named legs of a case, in this order, as the caller may see them: after it left, as they stood
        then."""

        def look(session: ReadSession) -> list[dict[str, Any]]:
            case = there(session.case(case_id))
            allow(principal, "read", case)
            seen = sight(case.state, principal.agency)
            then = case if seen.whole else self._replay(session, case_id, seen.until)
            texts = None if case.texts is None else then.texts
            legs = {leg.id: leg for leg in then.state.legs}
            return [forwarding_view(legs[each], case_id, texts) for each in leg_ids if each in legs]

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

    def _names(self, session: ReadSession, cases: Sequence[Case]) -> dict[str, str | None]:
        """The reporters' names, where neither flag hides them."""
        open_ = [case.state.id for case in cases if not (case.state.anonymous or case.state.confidential)]
        return {name: each.get("name") for name, each in identities(session, self.sealing, open_).items()}


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
