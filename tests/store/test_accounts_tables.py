"""Accounts and sessions on both engines: what ends with what, and what a backup keeps of them."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.ports.accounts import OfficerRow, SessionRow
from hub.ports.effects import Wanted
from hub.store.accounts import AccountTables
from hub.store.backups import write_backup
from hub.store.copying import KEPT
from hub.store.moving import MOVED
from hub.store.tables import officers, sessions
from hub.store.unpacking import unpack

EARLY, NOW, LATE = (f"2026-11-02T0{hour}:00:00.000Z" for hour in (1, 2, 3))
SITI = OfficerRow(
    "o-1", "kotim", "Siti@kotim.go.id", "siti@kotim.go.id", "Siti", "liaison", "hash", b"once", LATE, b"s",
    b"p", 7, 0, None, EARLY, EARLY,
)  # fmt: skip


@pytest.fixture
def rows(store: Any) -> AccountTables:
    made = AccountTables(store)
    assert made.add_officer(SITI)
    return made


def begin(rows: AccountTables, name: bytes = b"c" * 32) -> SessionRow:
    session = SessionRow(name, SITI.id, NOW, NOW, LATE)
    assert rows.add_session(session)
    return session


def test_an_account_is_kept_as_it_was_given(rows: AccountTables) -> None:
    assert rows.officer("o-1") == rows.officer_of("siti@kotim.go.id") == SITI
    assert rows.officers() == [SITI]
    assert not rows.add_officer(replace(SITI, id="o-2"))
    assert rows.officer("o-2") is None


def test_attempts_at_once_are_counted_one_by_one(rows: AccountTables) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: rows.take_attempt(SITI.email_key, NOW, [None, None, LATE]), range(8)))
    assert sorted(each.failures for each in found if each) == [0, 1, 2]
    after = rows.officer("o-1")
    assert after is not None
    assert (after.failures, after.locked_until) == (3, LATE)
    assert rows.take_attempt(SITI.email_key, LATE, [None, None, LATE]) is not None, "the lock is over"
    assert rows.take_attempt("nobody@kotim.go.id", NOW, [None]) is None


def test_an_attempt_given_back_is_none(rows: AccountTables) -> None:
    before = rows.take_attempt(SITI.email_key, NOW, [LATE])
    assert before == SITI
    rows.give_back(before, proven=False)
    assert rows.officer("o-1") == SITI
    rows.take_attempt(SITI.email_key, NOW, [None])
    rows.take_attempt(SITI.email_key, NOW, [LATE])
    rows.give_back(before, proven=False)
    locked = rows.officer("o-1")
    assert locked is not None
    assert (locked.failures, locked.locked_until) == (2, LATE), "others' failures meanwhile stay"
    rows.give_back(before, proven=True)
    assert rows.officer("o-1") == SITI


def test_a_step_is_used_once(rows: AccountTables) -> None:
    assert not rows.use_totp_step("o-1", 7)
    assert rows.use_totp_step("o-1", 8)
    assert not rows.use_totp_step("o-1", 8)


def test_whatever_changes_the_account_ends_its_sessions_and_is_told(store: Any, rows: AccountTables) -> None:
    def ends(change: object) -> None:
        begin(rows)
        before = store.registry_generation()
        assert callable(change)
        change()
        assert rows.session(b"c" * 32) is None
        assert store.registry_generation() > before

    ends(lambda: rows.set_password(SITI, "new", NOW))
    changed = rows.officer("o-1")
    assert changed is not None
    assert (changed.password_hash, changed.one_time_hash, changed.one_time_until) == ("new", None, None)
    assert not rows.set_password(SITI, "another", NOW), "it is not what it was"
    ends(lambda: rows.set_one_time("o-1", b"anew", LATE, NOW))
    reset = rows.officer("o-1")
    assert reset is not None
    assert (reset.password_hash, reset.totp_sealed, reset.one_time_hash) == (None, None, b"anew")
    ends(lambda: rows.end_session(b"c" * 32))
    ends(lambda: rows.disable("o-1", NOW))
    assert not rows.add_session(SessionRow(b"d" * 32, "o-1", NOW, NOW, LATE))
    with store.begin() as txn:
        assert txn.look_up(Wanted(clients=["o-1"])).inactive == {"o-1"}


def test_an_officer_is_an_active_client_of_the_transaction(store: Any, rows: AccountTables) -> None:
    with store.begin() as txn:
        assert txn.look_up(Wanted(clients=["o-1", "o-2"])).inactive == {"o-2"}


def test_sessions_are_seen_and_forgotten(rows: AccountTables) -> None:
    session = begin(rows)
    assert rows.session(session.id) == (session, SITI)
    rows.touch_session(session.id, LATE)
    rows.touch_session(session.id, NOW)
    found = rows.session(session.id)
    assert found is not None
    assert found[0].last_seen == LATE, "never back"
    assert rows.forget_sessions(NOW, NOW) == 0
    assert rows.forget_sessions(EARLY, LATE) == 1


def test_a_new_session_ends_the_browser_s_former_one(rows: AccountTables) -> None:
    former = begin(rows)
    assert rows.add_session(replace(former, id=b"n" * 32), former.id)
    assert rows.session(former.id) is None


def test_a_backup_keeps_accounts_and_no_session_and_a_move_carries_both() -> None:
    assert officers in KEPT
    assert sessions not in KEPT
    assert {officers, sessions} <= set(MOVED)


def test_everybody_signs_in_again_after_a_restore(store: Any, rows: AccountTables, tmp_path: Path) -> None:
    begin(rows)
    attachments = tmp_path / "data" / "attachments"
    attachments.mkdir(parents=True)
    write_backup(store, attachments, tmp_path / "cadangan.tar.gz")
    with closing(sqlite3.connect(unpack(tmp_path / "cadangan.tar.gz", tmp_path / "out"))) as copy:
        assert copy.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
        assert copy.execute("SELECT email_key FROM officers").fetchall() == [("siti@kotim.go.id",)]
    assert rows.session(b"c" * 32) is not None, "the hub itself goes on"
