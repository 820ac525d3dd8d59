"""Officers' sessions: who a browser's cookie stands for. In memory until the registry changes in whichever
process, so that whatever ends a session ends it everywhere at the next request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from auth import cookies
from auth.errors import SessionRefused
from auth.policy import COUNTS_FOR, Relation, scopes_of
from auth.principal import Principal
from auth.roles import Role
from hub.domain.agency import Agency
from hub.errors import StoreUnavailable, Unavailable
from hub.ports.accounts import AccountStore, OfficerRow, SessionRow
from hub.ports.clock import Clock, rfc3339
from hub.ports.sealing import Sealing
from hub.service.access import OnWriter
from hub.service.registry import Registry

OVER: Final = "You are not signed in, or your session is over; sign in again."
STORED_EVERY: Final = timedelta(minutes=1)
"""So much of the idle time may be forgotten when a process ends."""
MOST_KNOWN: Final = 10_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Known:
    """A session as this process knows it. `seen`: its last request; `stored`: the last one that has a row."""

    id: bytes
    officer: OfficerRow
    principal: Principal
    expires_at: datetime
    seen: datetime
    stored: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """A session that holds: who it is, and what its pages need."""

    id: bytes
    officer: OfficerRow
    principal: Principal
    expires_at: datetime


class Sessions:
    """For the event loop alone; a session not seen before is read there, as the registry is."""

    def __init__(
        self,
        store: AccountStore,
        registry: Registry,
        sealing: Sealing,
        clock: Clock,
        on_writer: OnWriter,
        idle: timedelta,
        lifetime: timedelta,
    ) -> None:
        self._store, self._registry, self._digest = store, registry, sealing.hub_digest
        self._clock, self._on_writer, self._idle, self._lifetime = clock, on_writer, idle, lifetime
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._generation = -1

    def authenticate(self, cookie: str) -> Signed:
        """Whose session the cookie is; SessionRefused when it is over or was never one. It is not kept alive
        by this: `seen` does."""
        found = cookies.session_id(cookie, self._digest)
        if found is None:
            raise SessionRefused(OVER)
        self._registry.refresh()
        if self._generation != self._registry.generation:
            self._known.clear()
            self._generation = self._registry.generation
        known = self._current(found)
        if known is None:
            raise SessionRefused(OVER)
        return Signed(found, known.officer, known.principal, known.expires_at)

    async def seen(self, signed: Signed) -> None:
        """The officer has just done something."""
        known, now = self._known.get(signed.id), self._clock.now()
        if known is None:
            return
        known.seen = now
        if now - known.stored < STORED_EVERY:
            return
        known.stored = now
        try:
            await self._on_writer(lambda: self._store.touch_session(signed.id, rfc3339(now)))
        except (StoreUnavailable, Unavailable) as error:
            # reading goes on without a database that writes; the session may end a little early
            log.warning("session_not_touched", cause=str(error))

    async def begin(self, officer: OfficerRow, former: str | None = None) -> tuple[str, Signed]:
        """A new session and its cookie; the `former` cookie's session ends. SessionRefused for an officer
        that was disabled, reset or given another password since `officer` was read."""
        cookie, now = cookies.new_cookie(self._digest), self._clock.now()
        found = cookies.session_id(cookie, self._digest)
        assert found is not None, "a cookie that was just made"
        expires = now + self._lifetime
        row = SessionRow(found, officer.id, rfc3339(now), rfc3339(now), rfc3339(expires))
        before = cookies.session_id(former, self._digest) if former else None
        added: list[bool] = []
        await self._on_writer(lambda: added.append(self._store.add_session(row, before, officer.changed_at)))
        if not added[0]:
            raise SessionRefused(OVER)
        return cookie, self.authenticate(cookie)

    async def end(self, signed: Signed) -> None:
        """Signed out: no process takes the cookie any more."""
        self._known.pop(signed.id, None)

        def delete() -> None:
            self._store.end_session(signed.id)

        await self._on_writer(delete)
        self._known.pop(signed.id, None)

    def csrf_token(self, signed: Signed) -> str:
        return cookies.csrf_token(signed.id, self._digest)

    def csrf_matches(self, given: str | None, signed: Signed) -> bool:
        return cookies.csrf_matches(given, signed.id, self._digest)

    def forget(self, _: str) -> int:
        """A chore: deletes what is over."""
        now = self._clock.now()
        return self._store.forget_sessions(rfc3339(now - self._idle), rfc3339(now))

    # --- inside --------------------------------------------------------------------------------------------

    def _current(self, found: bytes) -> _Known | None:
        """One that looks idle is read again: another process may have seen it since."""
        now, known = self._clock.now(), self._known.get(found)
        if known is None or self._over(known, now):
            known = self._load(found)
        if known is None or self._over(known, now):
            self._known.pop(found, None)
            return None
        self._known[found] = known
        self._known.move_to_end(found)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return known

    def _over(self, known: _Known, now: datetime) -> bool:
        return now >= known.expires_at or now - known.seen > self._idle

    def _load(self, found: bytes) -> _Known | None:
        stored = self._store.session(found)
        if stored is None:
            return None
        row, officer = stored
        agency = self._registry.agencies.get(officer.agency)
        if agency is None or not agency.active:
            return None
        expires, seen = datetime.fromisoformat(row.expires_at), datetime.fromisoformat(row.last_seen)
        principal = principal_of(officer, self._registry.agencies, expires)
        return _Known(found, officer, principal, expires, seen, seen)


def principal_of(officer: OfficerRow, agencies: Mapping[str, Agency], expires: datetime) -> Principal:
    """The officer as the policy knows one."""
    role = Role(officer.role)
    below = descendants(officer.agency, agencies) if role in COUNTS_FOR[Relation.ABOVE] else frozenset()
    return Principal(
        officer.id, officer.agency, scopes_of(role), "session", expires.timestamp(), role, officer.id, below
    )


def descendants(agency: str, agencies: Mapping[str, Agency]) -> frozenset[str]:
    """Every agency below it, however deep; a ring of parents ends."""
    children: dict[str, list[str]] = {}
    for each in agencies.values():
        if each.parent is not None:
            children.setdefault(each.parent, []).append(each.id)
    found: set[str] = set()
    waiting = [agency]
    while waiting:
        new = [child for child in children.get(waiting.pop(), []) if child not in found and child != agency]
        found.update(new)
        waiting += new
    return frozenset(found)
