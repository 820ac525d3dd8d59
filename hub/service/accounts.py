"""Officers' accounts: made, reset and disabled by whoever looks after them. Signing in is in
`accounts_sign_in.py`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from auth.passwords import new_one_time_password
from auth.roles import OFFICER_ROLES, ONLY_IN, Role
from hub.domain.agency import Agency
from hub.domain.legible import FILLERS, PILED, is_piled
from hub.errors import Invalid, NotFound, StateConflict
from hub.ports.accounts import AccountStore, OfficerRow
from hub.ports.clock import Clock, rfc3339
from hub.ports.revocations import (
    CREDENTIALS_CHANGED,
    OFFICER_DISABLED,
    OFFICER_ENABLED,
    RevocationJournal,
    RevocationLine,
)
from hub.ports.sealing import Sealing
from hub.service.ids import Ids

EMAIL: Final = re.compile(r"[^@\s\"<>,;:\\()\[\]]{1,64}@[^@\s\"<>,;:\\()\[\]]{1,190}")
NAME_MOST: Final = 100
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that show nothing, or turn the direction of what follows."""


def email_key(email: str) -> str:
    """The one form of an address by which accounts are told apart."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def one_time_hash(sealing: Sealing, officer_id: str, password: str) -> bytes:
    """A keyed hash is enough for a generated password: 148 bits cannot be guessed."""
    given = f"{officer_id}\n{password.strip().lower()}".encode("utf-8", "surrogatepass")
    return sealing.hub_digest("one-time-password", given)


@dataclass(slots=True)
class Accounts:
    """Writes on the caller's thread: for commands, and for jobs of the writer."""

    store: AccountStore
    agencies: Mapping[str, Agency]
    sealing: Sealing
    ids: Ids
    clock: Clock
    one_time_kept: timedelta
    journal: RevocationJournal

    def add(self, agency_id: str, email: str, name: str, role: str) -> tuple[OfficerRow, str]:
        """The account and its one-time password. Invalid names what cannot be taken, StateConflict an e-mail
        address that another account has."""
        given, shown = email.strip(), " ".join(name.split())
        self._check(agency_id, given, shown, role)
        now, password, officer_id = self.clock.now(), new_one_time_password(), self.ids.new()
        row = OfficerRow(
            id=officer_id,
            agency=agency_id,
            email=given,
            email_key=email_key(given),
            name=shown,
            role=role,
            password_hash=None,
            one_time_hash=one_time_hash(self.sealing, officer_id, password),
            one_time_until=rfc3339(now + self.one_time_kept),
            totp_sealed=None,
            totp_pending=None,
            totp_step=None,
            failures=0,
            locked_until=None,
            created_at=rfc3339(now),
            changed_at=rfc3339(now),
        )
        if not self.store.add_officer(row):
            raise StateConflict(self._taken(row), code="officer-exists")
        return row, password

    def reset(self, email: str) -> tuple[OfficerRow, str]:
        """A new one-time password in place of password, TOTP and locks. Every session ends; a disabled
        account is enabled again."""
        found, now, password = self._known(email), self.clock.now(), new_one_time_password()
        until = rfc3339(now + self.one_time_kept)
        hashed = one_time_hash(self.sealing, found.id, password)
        self._note(found, rfc3339(now), OFFICER_ENABLED, CREDENTIALS_CHANGED)
        self.store.set_one_time(found.id, hashed, until, rfc3339(now))
        return self._known(email), password

    def set_role(self, email: str, role: str) -> OfficerRow:
        """Every session ends, the password stays; nothing happens where the role is that one already. After a
        restore from before, the account is void until somebody has looked at it. Invalid for a role that an
        officer of that agency cannot have."""
        found, now = self._known(email), rfc3339(self.clock.now())
        agency = self.agencies.get(found.agency)
        if flaws := _role_flaws(role, agency):
            raise Invalid("; ".join(detail for _, detail in flaws), flaws=flaws)
        if found.role == role:
            return found
        self._note(found, now, CREDENTIALS_CHANGED)
        self.store.set_role(found.id, role, now)
        return self._known(email)

    def disable(self, email: str) -> OfficerRow:
        """Every session ends at once; what the officer did keeps its name."""
        found, now = self._known(email), rfc3339(self.clock.now())
        self._note(found, now, OFFICER_DISABLED)
        self.store.disable(found.id, now)
        return self._known(email)

    def _note(self, officer: OfficerRow, now: str, *changes: str) -> None:
        """Before the database knows: a restore must not know less than it did."""
        self.journal.add([RevocationLine(change, officer.id, now) for change in changes])

    def _taken(self, wanted: OfficerRow) -> str:
        """Which command leads on, for an address that has an account already."""
        found = self._known(wanted.email)
        said = f"There is an account with the e-mail address {found.email!r}, {found.role} of {found.agency}"
        if found.disabled_at is not None:
            said += f", which is disabled; `simpul officer reset {found.email}` brings it back"
        if found.agency != wanted.agency:
            return f"{said}. It stays with that agency; for {wanted.agency} use another address."
        if found.role != wanted.role:
            said += f"; `simpul officer role {found.email} {wanted.role}` gives it the other role"
        elif found.disabled_at is None:
            said += f"; use another, or `simpul officer reset {found.email}`"
        return f"{said}."

    def _known(self, email: str) -> OfficerRow:
        found = self.store.officer_of(email_key(email))
        if found is None:
            raise NotFound(f"There is no officer with the e-mail address {email!r}.")
        return found

    def _check(self, agency_id: str, email: str, name: str, role: str) -> None:
        agency, flaws = self.agencies.get(agency_id), []
        if agency is None or not agency.active:
            flaws.append(("/agency", f"No active agency {agency_id!r} is registered."))
        if not EMAIL.fullmatch(email) or _unseen(email):
            flaws.append(("/email", "An e-mail address such as siti@kotim.go.id is needed."))
        if not 1 <= len(name) <= NAME_MOST or _unseen(name) or not any(map(str.isalpha, name)):
            flaws.append(
                (
                    "/name",
                    f"A name of 1 to {NAME_MOST} characters is needed, with letters, without invisible ones.",
                )
            )
        elif is_piled(name):
            flaws.append(("/name", PILED))
        flaws += _role_flaws(role, agency)
        if flaws:
            raise Invalid("; ".join(detail for _, detail in flaws), flaws=flaws)


def _role_flaws(role: str, agency: Agency | None) -> list[tuple[str, str]]:
    if role not in OFFICER_ROLES:
        return [("/role", f"{role!r} is no role; one of {', '.join(OFFICER_ROLES)} is needed.")]
    if agency is not None and (kind := ONLY_IN.get(Role(role), agency.kind)) != agency.kind:
        return [("/role", f"The role {role} is for agencies of the kind {kind} alone.")]
    return []


def shown(officer: OfficerRow) -> dict[str, Any]:
    """The account for its administrator: no secret, nor whether its password is a good one."""
    return {
        "officer_id": officer.id,
        "agency": officer.agency,
        "email": officer.email,
        "name": officer.name,
        "role": officer.role,
        "totp": officer.totp_sealed is not None,
        "created_at": officer.created_at,
        "changed_at": officer.changed_at,
        "locked_until": officer.locked_until,
        "disabled_at": officer.disabled_at,
    }


def _unseen(text: str) -> bool:
    return any(unicodedata.category(character) in UNSEEN or character in FILLERS for character in text)
