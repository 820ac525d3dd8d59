"""Who is it that signs in? Every attempt is counted before it is judged; an unknown address costs what a
known one does, and is answered the same.

Guesses are counted where they come from (`auth/lockout.py`), and only many of them at the account itself.
Past what strangers did to the account get a browser that its officer signed in with before, one that is
signed in, and a one-time password, which nobody can guess."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Final, TypeVar

from auth import cookies, passwords, totp
from auth.errors import SessionRefused
from auth.lockout import LOCKS, AddressBudget, Guesses, network
from hub.errors import Forbidden, Invalid, TooMany, Unavailable
from hub.ports.accounts import AccountStore, OfficerRow
from hub.ports.clock import Clock, rfc3339
from hub.ports.sealing import Sealing
from hub.ports.secrets import SecretBox
from hub.service.access import OnWriter
from hub.service.accounts import email_key, one_time_hash
from hub.service.registry import Registry

REFUSED: Final = (
    "The e-mail address or the password is wrong, or too many attempts were, and you have to wait for some "
    "minutes. If it does not help, whoever runs the hub can reset the account."
)
HASHES_AT_ONCE: Final = 2
HASHES_WAITING: Final = 64
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an officer gives to sign in. `source` is the address it comes from, `device` the cookie of a
    browser that somebody signed in with before, `session` whose session it comes in: an officer's id."""

    email: str
    password: str
    new_password: str | None = None
    code: str | None = None
    source: str = ""
    device: str | None = None
    session: str | None = None


@dataclass(slots=True)
class _Attempt:
    """`place`: what its failures are counted for; `known`: a browser rather than an address."""

    given: Credentials
    account: str
    place: str
    known: bool
    counted: bool = False
    """At the account too."""


class Proofs:
    def __init__(
        self,
        store: AccountStore,
        registry: Registry,
        sealing: Sealing,
        box: SecretBox,
        clock: Clock,
        on_writer: OnWriter,
    ) -> None:
        self._store, self._registry = store, registry
        self._sealing, self._box, self._clock, self._on_writer = sealing, box, clock, on_writer
        self._addresses, self._guesses = AddressBudget(clock.monotonic), Guesses(clock.monotonic)
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0

    async def proven(
        self, given: Credentials, *, second_factor: bool = True
    ) -> tuple[OfficerRow, str | None]:
        """The account after a right attempt, and the hash of the new password where one is to be set. Raises
        SessionRefused (401), Forbidden `new-password-needed`, Invalid for a new password that cannot be
        taken, TooMany (429)."""
        attempt = self._begun(given)
        before, by_one_time = await self._by_password(attempt)
        hashed = await self._next_hash(before, attempt, by_one_time)
        if second_factor and before.totp_sealed is not None:
            step = await self._check_code(before, before.totp_sealed, attempt)
            before = replace(before, totp_step=step)
        if not attempt.known:
            self._addresses.give_back(given.source)
        self._guesses.forget(attempt.account, attempt.place)
        if hashed is None:
            await self._right(before, given)
        return before, hashed

    def device_cookie(self, officer: OfficerRow) -> str:
        """For the browser in which the officer has just signed in."""
        now = self._clock.now().timestamp()
        return cookies.new_device(officer.email_key, now, self._sealing.hub_digest)

    async def write(self, job: Callable[[], T]) -> T:
        made: list[T] = []
        await self._on_writer(lambda: made.append(job()))
        return made[0]

    # --- one attempt ---------------------------------------------------------------------------------------

    def _begun(self, given: Credentials) -> _Attempt:
        """TooMany where too many failed from one address, whosever accounts they were at."""
        self._require_room()
        account = email_key(given.email)
        device = self._device(given, account)
        if device is not None:
            return _Attempt(given, account, device, known=True)
        wait_s = self._addresses.take(given.source)
        if wait_s:
            raise TooMany(
                f"Too many attempts from this address have failed; wait {wait_s} s.", retry_after_s=wait_s
            )
        return _Attempt(given, account, network(given.source), known=False)

    def _device(self, given: Credentials, account: str) -> str | None:
        if given.session is not None:
            return f"session {given.session}"
        now = self._clock.now().timestamp()
        found = given.device and cookies.device_of(given.device, account, now, self._sealing.hub_digest)
        return f"device {found}" if found else None

    async def _by_password(self, attempt: _Attempt) -> tuple[OfficerRow, bool]:
        given, moment = attempt.given, rfc3339(self._clock.now())
        is_free = self._guesses.take(attempt.account, attempt.place)
        before = await asyncio.to_thread(self._store.officer_of, attempt.account)
        if before is not None and before.disabled_at is not None:
            before = None
        by_one_time = before is not None and self._is_one_time(before, given.password, moment)
        if not by_one_time and not is_free:
            before = None
        elif not by_one_time and not attempt.known:
            before = await self._counted(attempt, moment)
        known = before.password_hash if before else None
        right = await self._hashed(lambda: passwords.verify_password(given.password, known))
        self._registry.refresh()  # the agency may be new, or have just ended
        agency = self._registry.agencies.get(before.agency) if before else None
        if before is None or not (right or by_one_time) or agency is None or not agency.active:
            raise SessionRefused(REFUSED, "sign-in-refused")
        return before, by_one_time

    async def _counted(self, attempt: _Attempt, moment: str) -> OfficerRow | None:
        """Counted at the account; None where it is locked for strangers, or there is none."""
        now = self._clock.now()
        locks = [rfc3339(now + lock) if lock else None for lock in LOCKS]
        attempt.counted = True
        return await self.write(lambda: self._store.take_attempt(attempt.account, moment, locks))

    def _is_one_time(self, officer: OfficerRow, password: str, now: str) -> bool:
        if officer.one_time_hash is None or (officer.one_time_until or "") <= now:
            return False
        return compare_digest(one_time_hash(self._sealing, officer.id, password), officer.one_time_hash)

    async def _next_hash(self, before: OfficerRow, attempt: _Attempt, by_one_time: bool) -> str | None:
        """The new password's hash, if one is to be set; the attempt is given back where it cannot be."""
        given, new = attempt.given, attempt.given.new_password
        if new is None:
            if not by_one_time:
                return None
            await self._forgiven(before, attempt)
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
            await self._forgiven(before, attempt)
            raise Invalid("The new password cannot be taken.", flaws=[("/new_password", flaw)])
        return await self._hashed(lambda: passwords.hash_password(new))

    async def _check_code(self, before: OfficerRow, sealed: bytes, attempt: _Attempt) -> int:
        """The second factor's time step; a wrong code is a failed attempt, and none is used twice."""
        if attempt.given.code is None:
            await self._forgiven(before, attempt)
            raise SessionRefused("This account needs the code of its authenticator app too.", "totp-needed")
        secret, now = self._box.open(box_name(before), sealed), self._clock.now()
        step = totp.step_of(secret, attempt.given.code, now.timestamp())
        if step is None or not await self.write(lambda: self._store.use_totp_step(before.id, step)):
            raise SessionRefused(
                "This code is not right, or was used before; take the next one.", "totp-needed"
            )
        return step

    async def _forgiven(self, before: OfficerRow, attempt: _Attempt) -> None:
        """The password was right, though something else is missing: no failure, no success either."""
        self._guesses.give_back(attempt.account, attempt.place)
        if not attempt.known:
            self._addresses.give_back(attempt.given.source)
        if attempt.counted:
            await self.write(lambda: self._store.give_back(before, proven=False))

    async def _right(self, before: OfficerRow, given: Credentials) -> None:
        known = before.password_hash
        await self.write(lambda: self._store.give_back(before, proven=True))
        if known is not None and passwords.outdated(known):
            fresh = await self._hashed(lambda: passwords.hash_password(given.password))
            await self.write(lambda: self._store.rehash(before, fresh))

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


def box_name(officer: OfficerRow) -> str:
    """Under which an account's second factor is sealed."""
    return f"totp:{officer.id}"
