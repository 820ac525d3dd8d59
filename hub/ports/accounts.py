"""What accounts and sessions need of a database. Neither is a projection of the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OfficerRow:
    """An officer's account; times RFC 3339. See `hub/store/account_tables.py` for the secrets' forms."""

    id: str
    agency: str
    email: str
    email_key: str
    name: str
    role: str
    password_hash: str | None = field(repr=False)
    one_time_hash: bytes | None = field(repr=False)
    one_time_until: str | None
    totp_sealed: bytes | None = field(repr=False)
    totp_pending: bytes | None = field(repr=False)
    totp_step: int | None
    failures: int
    locked_until: str | None
    created_at: str
    changed_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser's session; `id` is the hash of its cookie. It ends at `expires_at` at the latest."""

    id: bytes = field(repr=False)
    officer: str
    created_at: str
    last_seen: str
    expires_at: str


class AccountStore(Protocol):
    """Every write is a transaction of its own. Those that end a session or change what an officer may do
    raise the registry's generation, so that every process forgets what it knew of sessions at its next
    request."""

    def officers(self) -> list[OfficerRow]:
        """All of them, disabled ones too, by agency and e-mail address."""
        ...

    def officer(self, officer_id: str) -> OfficerRow | None: ...

    def officer_of(self, email_key: str) -> OfficerRow | None: ...

    def add_officer(self, officer: OfficerRow) -> bool:
        """False, and nothing is done, when the e-mail address is another account's."""
        ...

    def take_attempt(self, email_key: str, now: str, locks_until: list[str | None]) -> OfficerRow | None:
        """Counts an attempt to sign in before it is judged, so that many at once are not one: gives the
        account as it stood before, None when there is none, it is disabled, or locked at `now`. After the
        n-th failure (from 1; the last entry counts for all later ones) it is locked until `locks_until[n-1]`.
        """
        ...

    def give_back(self, before: OfficerRow, *, proven: bool) -> None:
        """The attempt was right: no failures are left (`proven`), or one fewer where something else was
        missing, and the lock is as it was."""
        ...

    def use_totp_step(self, officer_id: str, step: int) -> bool:
        """False when a code of that time step, or of a later one, was used before."""
        ...

    def set_password(self, before: OfficerRow, password_hash: str, now: str) -> bool:
        """The new password in place of the old one and of any one-time password; every session ends. False,
        and nothing is done, when either changed since `before` was read."""
        ...

    def rehash(self, before: OfficerRow, password_hash: str) -> None:
        """The same password hashed at today's cost."""
        ...

    def set_totp(self, officer_id: str, *, pending: bytes | None, sealed: bytes | None, step: int | None,
                 now: str, unchanged: str) -> bool:  # fmt: skip
        """False, and nothing is done, when the account's `changed_at` is not `unchanged` any more."""
        ...

    def set_one_time(self, officer_id: str, one_time_hash: bytes, until: str, now: str) -> None:
        """A reset: in place of the password, of any TOTP secret and lock, and an end of every session. A
        disabled account is enabled again."""
        ...

    def void_credentials(self, officer_id: str, changed: str, now: str) -> bool:
        """After a restore: no password, one-time password or second factor is left, and no session, where the
        account was last changed before `changed`. Whether it was."""
        ...

    def set_role(self, officer_id: str, role: str, now: str) -> None:
        """Another role; every session ends."""
        ...

    def disable(self, officer_id: str, now: str) -> bool:
        """Ends every session. False when it was disabled already."""
        ...

    def add_session(
        self, session: SessionRow, instead_of: bytes | None = None, unchanged: str | None = None
    ) -> bool:
        """False when the officer was disabled meanwhile, or the account's `changed_at` is not `unchanged`: a
        password proven before a reset begins no session after it. `instead_of` is the cookie's former
        session, which ends."""
        ...

    def session(self, session_id: bytes) -> tuple[SessionRow, OfficerRow] | None:
        """None when there is none, or its officer is disabled."""
        ...

    def touch_session(self, session_id: bytes, last_seen: str) -> None:
        """Moves `last_seen` on; never back."""
        ...

    def end_session(self, session_id: bytes) -> bool: ...

    def forget_sessions(self, idle_since: str, now: str) -> int:
        """Deletes a page of the sessions that were not seen since, or that have expired; how many, and
        CHORE_PAGE where there may be more."""
        ...
