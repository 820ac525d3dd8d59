"""What agencies may read of cases: one, a list, its forwardings and consultations, its history. Rights first;
no identity is opened for who sees a case frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from auth.policy import may
from auth.principal import Principal
from hub.domain.audience import Sight, takes_part
from hub.domain.case import Case, CaseState
from hub.domain.evolution import evolve
from hub.domain.handover import after_handover, shown_handovers
from hub.domain.limits import Limits
from hub.domain.threads.thread import Thread
from hub.ports.clock import Clock
from hub.ports.sealing import Sealing
from hub.ports.store import CaseFilter, ReadSession
from hub.service.case_history import history_page, officers_named
from hub.service.case_pages import case_page
from hub.service.identities import identities
from hub.service.readers import Readers
from hub.service.rendered import Rendering
from hub.service.rights import allow, require_scope, sight_of, there
from hub.service.views import case_view, consultation_view, forwarding_view, frozen_view

HISTORY_PAGE = 1000


class HistoryPage(NamedTuple):
    """CloudEvents, oldest first; the number in the history to go on after, None at the end; and by the ids of
    events the officers who acted, {id, name?}, where the reader may know them."""

    events: list[dict[str, Any]]
    after: int | None
    officers: dict[str, dict[str, str]]


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
        """Of each case in order; rights first, and no identity is opened for who sees a case frozen, or from
        above. Names are read in one go, however many cases there are."""
        for case in cases:
            allow(principal, "read", case)
        sights = [sight_of(principal, case) for case in cases]
        whole = [case for case, seen in zip(cases, sights, strict=True) if seen.whole]
        own = [case for case in whole if takes_part(case.state, principal.agency)]
        names, rooms = self._names(session, own), _rooms(session, principal.agency, whole)
        views, now = [], self.clock.now()
        for case, seen in zip(cases, sights, strict=True):
            if seen.whole:
                view = self._view(case, principal, now, names.get(case.state.id), rooms)
            else:
                then = self._replay(session, case.state, seen)
                erasure = case.state.erasure
                view = frozen_view(then, principal.agency, now, erased=case.texts is None, erasure=erasure)
            views.append(view)
        return views

    async def seen_by(self, principal: Principal, case: Case) -> dict[str, Any]:
        """A case that this process has just written, without reading it again where nothing is missing."""
        if (case.state.anonymous or case.state.confidential) and not case.state.rooms:
            return self._view(case, principal, self.clock.now())

        def look(session: ReadSession) -> tuple[str | None, dict[str, Thread]]:
            return self._names(session, [case]).get(case.state.id), _rooms(session, principal.agency, [case])

        name, rooms = await self.readers.run(look)
        return self._view(case, principal, self.clock.now(), name, rooms)

    def _view(
        self,
        case: Case,
        principal: Principal,
        now: datetime,
        name: str | None = None,
        rooms: Mapping[str, Thread] = MappingProxyType({}),
    ) -> dict[str, Any]:
        about = [rooms[room.thread] for room in case.state.rooms if room.thread in rooms]
        view = case_view(case, principal.agency, now, self.limits, reporter_name=name, rooms=about)
        view["actions"] = [action for action in view["actions"] if may(principal.role, action)]
        return view

    async def forwardings(
        self, principal: Principal, case_id: str, leg_ids: Sequence[str]
    ) -> list[dict[str, Any]]:
        """The named legs of a case, in this order, as the caller may see them: after it left, as they stood
        then."""

        def look(session: ReadSession) -> list[dict[str, Any]]:
            case = there(session.case(case_id))
            allow(principal, "read", case)
            seen = sight_of(principal, case)
            then = case if seen.whole else self._replay(session, case.state, seen)
            texts = None if case.texts is None else then.texts
            legs = {leg.id: leg for leg in then.state.legs}
            return [forwarding_view(legs[each], case_id, texts) for each in leg_ids if each in legs]

        return await self.readers.run(look)

    async def consultation(self, principal: Principal, case_id: str, consultation_id: str) -> dict[str, Any]:
        """One question and its answer, as the caller may see it now."""

        def look(session: ReadSession) -> dict[str, Any]:
            case = there(session.case(case_id))
            allow(principal, "read", case)
            seen = sight_of(principal, case)
            then = case if seen.whole else self._replay(session, case.state, seen)
            (asked,) = [each for each in then.state.consultations if each.id == consultation_id]
            return consultation_view(asked, case_id, None if case.texts is None else then.texts)

        return await self.readers.run(look)

    async def cases(
        self, principal: Principal, wanted: CaseFilter, after: tuple[str, ...] | None, limit: int
    ) -> tuple[list[dict[str, Any]], tuple[str, ...] | None]:
        """A page of cases and the keyset of its last one, None at the end."""

        def look(session: ReadSession) -> tuple[list[dict[str, Any]], tuple[str, ...] | None]:
            found = case_page(session, principal, wanted, after, limit + 1)
            items = self._views(session, principal, [case for _, case in found[:limit]])
            return items, found[limit - 1][0] if len(found) > limit else None

        require_scope(principal, "cases:read")
        return await self.readers.run(look)

    async def history(self, principal: Principal, case_id: str, after: int, limit: int) -> HistoryPage:
        """The next `limit` of a case's events and handovers after number `after`, 0 for the first."""

        def look(session: ReadSession) -> HistoryPage:
            case = there(session.case(case_id))
            allow(principal, "history", case)
            found = history_page(session, case.state, sight_of(principal, case), after, limit + 1)
            page, opener = found[:limit], self.rendering.opener()
            keys = session.keys(sorted({case_id, *(entry.event.stream for entry in page)}))
            shown = [
                self.rendering.event(entry.event, entry.fact, keys.get(entry.event.stream), opener)
                for entry in page
            ]
            last = page[-1].number if len(found) > limit else None
            return HistoryPage(shown, last, officers_named(session, principal, case, page))

        return await self.readers.run(look)

    def _replay(self, session: ReadSession, now: CaseState, seen: Sight) -> Case:
        """The case, `now` another one, as it stood when the reader left it, folded from its events and the
        handovers between them: one that cannot be opened adds no words."""
        case_id, version = now.id, seen.until
        handed = shown_handovers(now, seen.agency, version)
        key, opener = session.keys([case_id]).get(case_id), self.rendering.opener()
        case: Case | None = None
        while True:
            events = session.stream(case_id, case.state.version if case else 0, HISTORY_PAGE)
            for event in events:
                if event.sequence > version:
                    break
                fact = event.fact()
                case = evolve(case, fact, self.rendering.words(event, fact, key, opener))
                for passed in handed:
                    if passed.version == event.sequence:
                        case = Case(after_handover(case.state, passed), case.texts)
            if not events or events[-1].sequence >= version:
                break
        return there(case)

    def _names(self, session: ReadSession, cases: Sequence[Case]) -> dict[str, str | None]:
        """The reporters' names, where neither flag hides them."""
        open_ = [case.state.id for case in cases if not (case.state.anonymous or case.state.confidential)]
        return {name: each.get("name") for name, each in identities(session, self.sealing, open_).items()}


def _rooms(session: ReadSession, agency: str, cases: Sequence[Case]) -> dict[str, Thread]:
    """The threads about the cases in which the agency takes part now."""
    named = {room.thread for case in cases for room in case.state.rooms if agency in room.agencies}
    return session.threads_named(sorted(named)) if named else {}
