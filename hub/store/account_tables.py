"""Tables about people: officers' accounts, and the sessions of their browsers. Neither is a projection of the
log: what a person signs in with is no event."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from hub.store.columns import BIG, TEXT, metadata

officers = Table(
    "officers",
    metadata,
    Column("id", TEXT, primary_key=True),
    Column("agency", TEXT, nullable=False),
    Column("email", TEXT, nullable=False),
    Column("email_key", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("role", TEXT, nullable=False),
    Column("password_hash", TEXT),
    Column("one_time_hash", LargeBinary),
    Column("one_time_until", TEXT),
    Column("totp_sealed", LargeBinary),
    Column("totp_pending", LargeBinary),
    Column("totp_step", BIG),
    Column("failures", Integer, nullable=False),
    Column("locked_until", TEXT),
    Column("created_at", TEXT, nullable=False),
    Column("changed_at", TEXT, nullable=False),
    Column("disabled_at", TEXT),
    Index("officers_email_key", "email_key", unique=True),
    sqlite_with_rowid=False,
)
"""`email_key` is the address in the one form by which it is unique and found, `email` as it was given.
`password_hash` is argon2's own text, null until the first one-time password was used; `one_time_hash` a keyed
hash. `totp_sealed` is the secret in force, `totp_pending` one that is not confirmed yet, both sealed by the
hub's own key; `totp_step` the last time step whose code was taken. `failures` counts wrong attempts since the
last right one."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("officer", TEXT, nullable=False),
    Column("created_at", TEXT, nullable=False),
    Column("last_seen", TEXT, nullable=False),
    Column("expires_at", TEXT, nullable=False),
    Index("sessions_officer", "officer"),
    Index("sessions_last_seen", "last_seen"),
    sqlite_with_rowid=False,
)
"""`id` is a hash of the browser's cookie. Deleted when the session ends, whatever ends it. In no backup."""
