"""Officers' accounts and the sessions of their browsers, as rows."""

# ruff: noqa: S608  # statements are put together from our own constants only

from __future__ import annotations

from typing import Any, Final

from hub.ports.accounts import OfficerRow, SessionRow
from hub.ports.store import CHORE_PAGE
from hub.store.dialect import Engine
from hub.store.generation import next_generation

_NAMES: Final = (
    "id", "agency", "email", "email_key", "name", "role", "password_hash", "one_time_hash", "one_time_until",
    "totp_sealed", "totp_pending", "totp_step", "failures", "locked_until", "created_at", "changed_at",
    "disabled_at",
)  # fmt: skip
_OFFICER: Final = ", ".join(_NAMES)
_FORGOTTEN: Final = (
    "DELETE FROM sessions WHERE id IN "
    "(SELECT id FROM sessions WHERE last_seen < ? OR expires_at <= ? LIMIT ?)"
)
_SESSION: Final = "id, officer, created_at, last_seen, expires_at"


class AccountTables:
    """Implements `hub.ports.accounts.AccountStore`."""

    def __init__(self, store: Engine) -> None:
        self._store = store

    def officers(self) -> list[OfficerRow]:
        with self._store.connection() as db:
            rows = db.execute(f"SELECT {_OFFICER} FROM officers ORDER BY agency, email_key").fetchall()
        return [_officer(row) for row in rows]

    def officer(self, officer_id: str) -> OfficerRow | None:
        return self._one("id", officer_id)

    def officer_of(self, email_key: str) -> OfficerRow | None:
        return self._one("email_key", email_key)

    def _one(self, column: str, value: str) -> OfficerRow | None:
        with self._store.connection() as db:
            row = db.execute(f"SELECT {_OFFICER} FROM officers WHERE {column} = ?", (value,)).fetchone()
        return _officer(row) if row else None

    def add_officer(self, officer: OfficerRow) -> bool:
        values = tuple(getattr(officer, name) for name in _NAMES)
        with self._store.writing() as db:
            added = db.execute(
                f"INSERT INTO officers ({_OFFICER}) VALUES ({', '.join('?' for _ in _NAMES)}) "
                "ON CONFLICT (email_key) DO NOTHING",
                values,
            )
            return bool(added.rowcount == 1)

    # --- signing in ----------------------------------------------------------------------------------------

    def take_attempt(self, email_key: str, now: str, locks_until: list[str | None]) -> OfficerRow | None:
        """See the port. The row is locked first: attempts at once are counted one by one."""
        with self._store.writing() as db:
            row = db.execute(
                f"SELECT {_OFFICER} FROM officers WHERE email_key = ? AND disabled_at IS NULL "
                f"AND (locked_until IS NULL OR locked_until <= ?){self._store.dialect.locking}",
                (email_key, now),
            ).fetchone()
            if row is None:
                _write_as_much(db, now)
                return None
            before = _officer(row)
            until = locks_until[min(before.failures, len(locks_until) - 1)]
            db.execute(
                "UPDATE officers SET failures = failures + 1, locked_until = ? WHERE id = ?",
                (until, before.id),
            )
            return before

    def give_back(self, before: OfficerRow, *, proven: bool) -> None:
        """See the port. Failures of others meanwhile stay counted unless the attempt was right."""
        with self._store.writing() as db:
            if proven:
                db.execute("UPDATE officers SET failures = 0, locked_until = NULL WHERE id = ?", (before.id,))
            else:
                db.execute(
                    "UPDATE officers SET failures = failures - 1, locked_until = ? "
                    "WHERE id = ? AND failures = ?",
                    (before.locked_until, before.id, before.failures + 1),
                )

    def use_totp_step(self, officer_id: str, step: int) -> bool:
        with self._store.writing() as db:
            used = db.execute(
                "UPDATE officers SET totp_step = ? WHERE id = ? AND (totp_step IS NULL OR totp_step < ?)",
                (step, officer_id, step),
            )
            return bool(used.rowcount == 1)

    # --- changing an account -------------------------------------------------------------------------------

    def set_password(self, before: OfficerRow, password_hash: str, now: str) -> bool:
        with self._store.writing() as db:
            changed = db.execute(
                "UPDATE officers SET password_hash = ?, one_time_hash = NULL, one_time_until = NULL, "
                "failures = 0, locked_until = NULL, changed_at = ? WHERE id = ? AND disabled_at IS NULL "
                "AND coalesce(password_hash, '') = ? AND coalesce(one_time_until, '') = ? "
                "AND changed_at = ?",
                (
                    *(password_hash, now, before.id),
                    *(before.password_hash or "", before.one_time_until or "", before.changed_at),
                ),
            )
            if changed.rowcount == 1:
                _end_sessions(db, before.id)
            return bool(changed.rowcount == 1)

    def rehash(self, before: OfficerRow, password_hash: str) -> None:
        with self._store.writing() as db:
            db.execute(
                "UPDATE officers SET password_hash = ? WHERE id = ? AND password_hash = ?",
                (password_hash, before.id, before.password_hash),
            )

    def set_totp(
        self,
        officer_id: str,
        *,
        pending: bytes | None,
        sealed: bytes | None,
        step: int | None,
        now: str,
        unchanged: str,
    ) -> bool:
        with self._store.writing() as db:
            changed = db.execute(
                "UPDATE officers SET totp_pending = ?, totp_sealed = ?, totp_step = ?, changed_at = ? "
                "WHERE id = ? AND changed_at = ?",
                (pending, sealed, step, now, officer_id, unchanged),
            )
            next_generation(db)
            return bool(changed.rowcount == 1)

    def set_one_time(self, officer_id: str, one_time_hash: bytes, until: str, now: str) -> None:
        with self._store.writing() as db:
            db.execute(
                "UPDATE officers SET password_hash = NULL, one_time_hash = ?, one_time_until = ?, "
                "totp_sealed = NULL, totp_pending = NULL, totp_step = NULL, failures = 0, "
                "locked_until = NULL, disabled_at = NULL, changed_at = ? WHERE id = ?",
                (one_time_hash, until, now, officer_id),
            )
            _end_sessions(db, officer_id)

    def void_credentials(self, officer_id: str, changed: str, now: str) -> bool:
        with self._store.writing() as db:
            voided = db.execute(
                "UPDATE officers SET password_hash = NULL, one_time_hash = NULL, one_time_until = NULL, "
                "totp_sealed = NULL, totp_pending = NULL, totp_step = NULL, changed_at = ? "
                "WHERE id = ? AND changed_at < ?",
                (now, officer_id, changed),
            )
            if voided.rowcount == 1:
                _end_sessions(db, officer_id)
            return bool(voided.rowcount == 1)

    def set_role(self, officer_id: str, role: str, now: str) -> None:
        with self._store.writing() as db:
            db.execute("UPDATE officers SET role = ?, changed_at = ? WHERE id = ?", (role, now, officer_id))
            _end_sessions(db, officer_id)

    def disable(self, officer_id: str, now: str) -> bool:
        with self._store.writing() as db:
            changed = db.execute(
                "UPDATE officers SET disabled_at = ?, changed_at = ? WHERE id = ? AND disabled_at IS NULL",
                (now, now, officer_id),
            )
            _end_sessions(db, officer_id)
            return bool(changed.rowcount == 1)

    # --- sessions ------------------------------------------------------------------------------------------

    def add_session(
        self, session: SessionRow, instead_of: bytes | None = None, unchanged: str | None = None
    ) -> bool:
        with self._store.writing() as db:
            if instead_of is not None:
                _end(db, "id = ?", (instead_of,))
            active = db.execute(
                "SELECT changed_at FROM officers WHERE id = ? AND disabled_at IS NULL"
                f"{self._store.dialect.locking}",
                (session.officer,),
            ).fetchone()
            if active is None or unchanged not in (None, active[0]):
                return False
            db.execute(
                f"INSERT INTO sessions ({_SESSION}) VALUES (?, ?, ?, ?, ?)",
                (session.id, session.officer, session.created_at, session.last_seen, session.expires_at),
            )
            return True

    def session(self, session_id: bytes) -> tuple[SessionRow, OfficerRow] | None:
        with self._store.connection() as db:
            row = db.execute(f"SELECT {_SESSION} FROM sessions WHERE id = ?", (session_id,)).fetchone()
            owner = (
                row
                and db.execute(
                    f"SELECT {_OFFICER} FROM officers WHERE id = ? AND disabled_at IS NULL", (row[1],)
                ).fetchone()
            )
        return (SessionRow(bytes(row[0]), *row[1:]), _officer(owner)) if owner else None

    def touch_session(self, session_id: bytes, last_seen: str) -> None:
        with self._store.writing() as db:
            db.execute(
                "UPDATE sessions SET last_seen = ? WHERE id = ? AND last_seen < ?",
                (last_seen, session_id, last_seen),
            )

    def end_session(self, session_id: bytes) -> bool:
        with self._store.writing() as db:
            return _end(db, "id = ?", (session_id,)) == 1

    def forget_sessions(self, idle_since: str, now: str, limit: int = CHORE_PAGE) -> int:
        """See the port. Nobody need be told: every process knows by itself that these are over."""
        with self._store.writing() as db:
            return int(db.execute(_FORGOTTEN, (idle_since, now, limit)).rowcount)


def _officer(row: Any) -> OfficerRow:
    return OfficerRow(*row)


def _write_as_much(db: Any, now: str) -> None:
    """So that the commit takes as long as for an account that is there."""
    db.execute(
        "INSERT INTO facts (name, value) VALUES ('sign_in_refused', ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (now,),
    )


def _end_sessions(db: Any, officer_id: str) -> None:
    """Also where there was none: what the officer may do has changed."""
    db.execute("DELETE FROM sessions WHERE officer = ?", (officer_id,))
    next_generation(db)


def _end(db: Any, condition: str, values: tuple[Any, ...]) -> int:
    ended = int(db.execute(f"DELETE FROM sessions WHERE {condition}", values).rowcount)
    if ended:
        next_generation(db)
    return ended
