"""Officers sign in, change their password and add a second factor. Every attempt is counted before it is
judged; an unknown address costs what a known one does, and is answered the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Final, TypeVar

from auth import passwords, totp
from auth.errors import SessionRefused
from auth.lockout import LOCKS, AddressBudget
from hub.errors import Forbidden, Invalid, StateConflict, TooMany, Unavailable
from hub.ports.accounts import AccountStore, OfficerRow
from hub.ports.clock import Clock, rfc3339
from hub.ports.sealing import Sealing
from hub.ports.secrets import SecretBox
from hub.service.access import OnWriter
from hub.service.accounts import email_key, one_time_hash
from hub.service.registry import Registry
from hub.service.sessions import Sessions, Signed

REFUSED: Final = (
    "The e-mail address or the password is wrong, or the account is locked for some minutes after too many "
    "attempts. Your agency's administrator can have it reset."
)
HASHES_AT_ONCE: Final = 2
HASHES_WAITING: Final = 64
ISSUER: Final = "Simpul"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an officer gives to sign in. `source` is the address it comes from."""

    email: str
    password: str
    new_password: str | None = None
    code: str | None = None
    source: str = ""


class SignIn:
    def __init__(
        self,
        store: AccountStore,
        sessions: Sessions,
        registry: Registry,
        sealing: Sealing,
        box: SecretBox,
        clock: Clock,
        on_writer: OnWriter,
    ) -> None:
        self.sessions = sessions
        self._store, self._registry = store, registry
        self._sealing, self._box, self._clock, self._on_writer = sealing, box, clock, on_writer
        self._addresses = AddressBudget(clock.monotonic)
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0

    async def sign_in(self, given: Credentials, former: str | None = None) -> tuple[str, Signed]:
        """A cookie and its session; `former` is the cookie that the browser had. Raises SessionRefused (401),
        Forbidden `new-password-needed`, Invalid for a new password that cannot be taken, TooMany (429)."""
        return await self.sessions.begin(await self._proven(given), former)

    async def change_password(self, signed: Signed, given: str, new: str, source: str) -> tuple[str, Signed]:
        """Ends every session of the officer, this one too, and begins a new one. No second factor is asked
        for: the session has passed it."""
        found = Credentials(signed.officer.email, given, new, None, source)
        return await self.sessions.begin(await self._proven(found, second_factor=False))

    async def propose_totp(self, signed: Signed, password: str, source: str) -> tuple[str, str]:
        """A new secret, as text and as what an app scans; in force once a code of it was given. StateConflict
        where there is one: a reset of the account takes it away."""
        given = Credentials(signed.officer.email, password, None, None, source)
        officer = await self._proven(given, second_factor=False)
        if officer.totp_sealed is not None:
            raise StateConflict("This account has a second factor; a reset of the account removes it.")
        secret = totp.new_secret()
        await self._set_totp(officer, pending=self._box.seal(_name(officer), secret), sealed=None, step=None)
        return totp.text_of(secret), totp.uri_of(secret, officer.email, ISSUER)

    async def confirm_totp(self, signed: Signed, code: str) -> None:
        """From now on a code is asked for at every signing in."""
        officer = await asyncio.to_thread(self._store.officer, signed.officer.id)
        if officer is None or officer.totp_pending is None:
            raise StateConflict("No second factor waits to be confirmed; begin with POST /v1/session/totp.")
        secret = self._box.open(_name(officer), officer.totp_pending)
        step = totp.step_of(secret, code, self._clock.now().timestamp())
        if step is None:
            detail = "This code is not right. Compare the phone's clock, and take the one it shows now."
            raise Invalid("The code is not right.", flaws=[("/totp", detail)])
        await self._set_totp(officer, pending=None, sealed=officer.totp_pending, step=step)

    async def _set_totp(
        self, officer: OfficerRow, *, pending: bytes | None, sealed: bytes | None, step: int | None
    ) -> None:
        now = rfc3339(self._clock.now())
        await self._write(
            lambda: self._store.set_totp(officer.id, pending=pending, sealed=sealed, step=step, now=now)
        )

    # --- proving who it is ---------------------------------------------------------------------------------

    async def _proven(self, given: Credentials, *, second_factor: bool = True) -> OfficerRow:
        """The officer, with the new password where one was given."""
        self._require_room()
        wait_s = self._addresses.take(given.source)
        if wait_s:
            raise TooMany(
                f"Too many attempts from this address have failed; wait {wait_s} s.", retry_after_s=wait_s
            )
        before, by_one_time = await self._by_password(given)
        hashed = await self._next_hash(before, given, by_one_time)
        if second_factor and before.totp_sealed is not None:
            await self._check_code(before, before.totp_sealed, given)
        self._addresses.give_back(given.source)
        return await self._settled(before, given, hashed)

    async def _by_password(self, given: Credentials) -> tuple[OfficerRow, bool]:
        now = self._clock.now()
        locks = [rfc3339(now + lock) if lock else None for lock in LOCKS]
        key, moment = email_key(given.email), rfc3339(now)
        before = await self._write(lambda: self._store.take_attempt(key, moment, locks))
        known = before.password_hash if before else None
        right = await self._hashed(lambda: passwords.verify_password(given.password, known))
        by_one_time = before is not None and self._is_one_time(before, given.password, moment)
        self._registry.refresh()  # the agency may be new, or have just ended
        agency = self._registry.agencies.get(before.agency) if before else None
        if before is None or not (right or by_one_time) or agency is None or not agency.active:
            raise SessionRefused(REFUSED, "sign-in-refused")
        return before, by_one_time

    def _is_one_time(self, officer: OfficerRow, password: str, now: str) -> bool:
        if officer.one_time_hash is None or (officer.one_time_until or "") <= now:
            return False
        return compare_digest(one_time_hash(self._sealing, officer.id, password), officer.one_time_hash)

    async def _next_hash(self, before: OfficerRow, given: Credentials, by_one_time: bool) -> str | None:
        """The new password's hash, if one is to be set; the attempt is given back where it cannot be."""
        new = given.new_password
        if new is None:
            if not by_one_time:
                return None
            await self._forgiven(before, given)
            raise Forbidden(
                "This is a one-time password: send a password of your own with it, as `new_password`.",
                code="new-password-needed",
            )
        agency = self._registry.agencies[before.agency].name
        flaw = await self._hashed(
            lambda: (
                passwords.flaw_of(new, (before.email, before.name, agency))
                if new != given.password
                else "This is the password that you have; take another."
            )
        )
        if flaw is not None:
            await self._forgiven(before, given)
            raise Invalid("The new password cannot be taken.", flaws=[("/new_password", flaw)])
        return await self._hashed(lambda: passwords.hash_password(new))

    async def _check_code(self, before: OfficerRow, sealed: bytes, given: Credentials) -> None:
        """The second factor; a wrong code is a failed attempt, and none is used twice."""
        if given.code is None:
            await self._forgiven(before, given)
            raise SessionRefused("This account needs the code of its authenticator app too.", "totp-needed")
        secret, now = self._box.open(_name(before), sealed), self._clock.now()
        step = totp.step_of(secret, given.code, now.timestamp())
        if step is None or not await self._write(
            lambda: self._store.use_totp_step(before.id, step, rfc3339(now))
        ):
            raise SessionRefused(
                "This code is not right, or was used before; take the next one.", "totp-needed"
            )

    async def _forgiven(self, before: OfficerRow, given: Credentials) -> None:
        """The password was right, though something else is missing: no failure, no success either."""
        self._addresses.give_back(given.source)
        now = rfc3339(self._clock.now())
        await self._write(lambda: self._store.give_back(before, now, proven=False))

    async def _settled(self, before: OfficerRow, given: Credentials, hashed: str | None) -> OfficerRow:
        """The account after a right attempt. A one-time password that two use at once is one's alone."""
        now = rfc3339(self._clock.now())
        if hashed is not None:
            if not await self._write(lambda: self._store.set_password(before, hashed, now)):
                raise SessionRefused(REFUSED, "sign-in-refused")
            return replace(before, changed_at=now)
        await self._write(lambda: self._store.give_back(before, now, proven=True))
        known = before.password_hash
        if known is not None and passwords.outdated(known):
            fresh = await self._hashed(lambda: passwords.hash_password(given.password))
            await self._write(lambda: self._store.rehash(before, fresh))
        return before

    # --- threads -------------------------------------------------------------------------------------------

    async def _hashed(self, job: Callable[[], T]) -> T:
        """Off the event loop, a few at once: each takes 19 MiB."""
        async with self._turn():
            return await asyncio.to_thread(job)

    def _require_room(self) -> None:
        """Before the attempt is counted: who is turned away has not failed."""
        if self._waiting >= HASHES_WAITING:
            raise Unavailable("Too many people sign in just now; try again in a moment.", retry_after_s=2)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            async with self._hashing:
                yield
        finally:
            self._waiting -= 1

    async def _write(self, job: Callable[[], T]) -> T:
        made: list[T] = []
        await self._on_writer(lambda: made.append(job()))
        return made[0]


def _name(officer: OfficerRow) -> str:
    return f"totp:{officer.id}"
