"""Officers sign in, change their password, and add, replace and remove a second factor. Who it is, is proven
in `accounts_proof.py`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from auth import totp
from auth.errors import SessionRefused
from hub.errors import Invalid, StateConflict
from hub.ports.accounts import AccountStore, OfficerRow
from hub.ports.clock import Clock, rfc3339
from hub.ports.revocations import CREDENTIALS_CHANGED, RevocationJournal, RevocationLine
from hub.ports.secrets import SecretBox
from hub.service.accounts_proof import REFUSED, Credentials, Proofs, box_name
from hub.service.sessions import Sessions, Signed

ISSUER: Final = "Simpul"
CHANGED: Final = "This account has just been changed from elsewhere; sign in again."


class SignIn:
    """Whatever makes an old password or second factor worthless enters the journal before the database."""

    def __init__(
        self,
        store: AccountStore,
        sessions: Sessions,
        proofs: Proofs,
        box: SecretBox,
        clock: Clock,
        journal: RevocationJournal,
    ) -> None:
        self.sessions, self.proofs = sessions, proofs
        self._store, self._box, self._clock, self._journal = store, box, clock, journal

    async def sign_in(self, given: Credentials, former: str | None = None) -> tuple[str, Signed]:
        """A cookie and its session; `former` is the cookie that the browser had. Raises what `Proofs.proven`
        does."""
        return await self.sessions.begin(await self._settled(*await self.proofs.proven(given)), former)

    def device_cookie(self, signed: Signed) -> str:
        """By which this browser is known again."""
        return self.proofs.device_cookie(signed.officer)

    async def change_password(self, signed: Signed, given: str, new: str) -> tuple[str, Signed]:
        """Ends every session of the officer, this one too, and begins a new one. No second factor is asked
        for: the session has passed it."""
        found = Credentials(signed.officer.email, given, new, session=signed.officer.id)
        proven = await self.proofs.proven(found, second_factor=False)
        return await self.sessions.begin(await self._settled(*proven))

    async def propose_totp(self, signed: Signed, password: str, code: str | None) -> tuple[str, str]:
        """A new secret, as text and as what an app scans; in force once a code of it was given. Where there
        is one already, `code` is one of it, and it stays in force until then."""
        officer = await self._proven_again(signed, password, code)
        secret = totp.new_secret()
        pending = self._box.seal(box_name(officer), secret)
        await self._set_totp(officer, pending=pending, sealed=officer.totp_sealed, step=officer.totp_step)
        return totp.text_of(secret), totp.uri_of(secret, officer.email, ISSUER)

    async def confirm_totp(self, signed: Signed, code: str) -> None:
        """From now on a code of the new secret is asked for at every signing in."""
        officer = await asyncio.to_thread(self._store.officer, signed.officer.id)
        if officer is None or officer.totp_pending is None:
            raise StateConflict("No second factor waits to be confirmed; begin with POST /v1/session/totp.")
        secret = self._box.open(box_name(officer), officer.totp_pending)
        step = totp.step_of(secret, code, self._clock.now().timestamp())
        if step is None:
            detail = "This code is not right. Compare the phone's clock, and take the one it shows now."
            raise Invalid("The code is not right.", flaws=[("/totp", detail)])
        await self._set_totp(officer, pending=None, sealed=officer.totp_pending, step=step)

    async def remove_totp(self, signed: Signed, password: str, code: str) -> None:
        """No code is asked for any more, and none waits to be confirmed. StateConflict where there is no
        second factor."""
        officer = await self._proven_again(signed, password, code)
        if officer.totp_sealed is None:
            raise StateConflict("This account has no second factor.")
        await self._set_totp(officer, pending=None, sealed=None, step=None)

    # --- inside --------------------------------------------------------------------------------------------

    async def _proven_again(self, signed: Signed, password: str, code: str | None) -> OfficerRow:
        """Within a session: who it is, by what the account has now."""
        given = Credentials(signed.officer.email, password, code=code, session=signed.officer.id)
        officer, _ = await self.proofs.proven(given)
        return officer

    async def _settled(self, before: OfficerRow, hashed: str | None) -> OfficerRow:
        """The account with its new password, if there is one. A one-time password that two use at once is
        one's alone."""
        if hashed is None:
            return before
        now = rfc3339(self._clock.now())

        def set_password() -> bool:
            self._note(before, now)
            return self._store.set_password(before, hashed, now)

        if not await self.proofs.write(set_password):
            raise SessionRefused(REFUSED, "sign-in-refused")
        return replace(before, changed_at=now)

    async def _set_totp(
        self, officer: OfficerRow, *, pending: bytes | None, sealed: bytes | None, step: int | None
    ) -> None:
        """Unless the account was reset, or changed in another way, since it was read."""
        now = rfc3339(self._clock.now())

        def set_totp() -> bool:
            if sealed != officer.totp_sealed:
                self._note(officer, now)
            return self._store.set_totp(
                officer.id, pending=pending, sealed=sealed, step=step, now=now, unchanged=officer.changed_at
            )

        if not await self.proofs.write(set_totp):
            raise StateConflict(CHANGED)

    def _note(self, officer: OfficerRow, now: str) -> None:
        self._journal.add([RevocationLine(CREDENTIALS_CHANGED, officer.id, now)])
