"""The reporter's identity (`GET /v1/cases/{id}/reporter`): asked for, recorded, and only then opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from auth.policy import Action, Reading
from auth.principal import Principal
from hub.domain.case import Case
from hub.domain.commands import ReadReporter
from hub.domain.events import Recorded
from hub.domain.privacy import mask
from hub.domain.reporter_reading import GONE, require_known
from hub.errors import Erased
from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession
from hub.service.identities import identities, own_values_of
from hub.service.readers import Readers
from hub.service.requests import Outcome
from hub.service.rights import allow, reading_of, there

MEMBERS: Final = ("name", "phone", "email", "national_id")
Act = Callable[[Principal, ReadReporter], Awaitable[Outcome]]
"""`Hub.act`: through the one writer, committed when it returns."""


@dataclass(frozen=True, slots=True)
class OpenedIdentity:
    """One reading. `reporter` is {name?, phone?, email?, national_id?, anonymous}, `masked` the kinds of what
    was masked in the purpose."""

    case_id: str
    reporter: dict[str, Any]
    purpose: str
    read_at: str
    event_id: str
    masked: list[str]

    def document(self) -> dict[str, Any]:
        """The `reporter-identity` of the API."""
        return {
            "case_id": self.case_id,
            "reporter": self.reporter,
            "purpose": self.purpose,
            "read_at": self.read_at,
            "event_id": self.event_id,
        }


@dataclass(frozen=True, slots=True)
class ReporterDesk:
    readers: Readers
    sealing: Sealing
    act: Act

    async def check(self, principal: Principal, case_id: str) -> None:
        """404, 410 or 403, before the purpose is judged; decided again in the transaction."""
        await self.readers.run(lambda session: _readable(session, principal, case_id))

    async def read(self, principal: Principal, case_id: str, purpose: str) -> OpenedIdentity:
        """The identity, after its reading was committed: what cannot be recorded is not answered (503)."""
        purpose, masked = await self.readers.run(
            lambda session: self._masked(session, principal, case_id, purpose)
        )
        outcome = await self.act(principal, ReadReporter(case_id, purpose, principal.officer))
        case = there(outcome.case)
        reporter, event = await self.readers.run(lambda session: self._opened(session, case))
        return OpenedIdentity(case_id, reporter, purpose, event.fact().time, event.id, masked)

    def _masked(
        self, session: ReadSession, principal: Principal, case_id: str, purpose: str
    ) -> tuple[str, list[str]]:
        """As in whatever officers write, and the name always: no event carries any part of the reporter."""
        case = _readable(session, principal, case_id)
        masked = mask(purpose, own_values_of(session, self.sealing, case.state, hidden=True))
        return masked.text, masked.kinds

    def _opened(self, session: ReadSession, case: Case) -> tuple[dict[str, Any], Recorded]:
        """What the vault holds now, and the event that the case's version is of."""
        case_id = case.state.id
        (event,) = session.stream(case_id, case.state.version - 1, 1)
        found = identities(session, self.sealing, [case_id]).get(case_id)
        if found is None:  # erased since
            raise Erased(GONE)
        given = {name: found[name] for name in MEMBERS if found.get(name) is not None}
        return given | {"anonymous": case.state.anonymous}, event


def _readable(session: ReadSession, principal: Principal, case_id: str) -> Case:
    """The case, if it is not erased. Raises NotFound for who takes no part in it, Erased for whoever else,
    Forbidden for who may not."""
    case = there(session.case(case_id))
    if case.state.erased and reading_of(principal, case) is not Reading.NONE:
        raise Erased(GONE)
    allow(principal, Action.IDENTITY, case)
    require_known(case.state, principal.agency)
    return case
