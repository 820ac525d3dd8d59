"""The spool: private, forgetful of content, and never of what was sent."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from connectors.entries import Seen
from connectors.errors import ConfigRefused, SpoolInUse
from connectors.inbox import ATTEMPTS, Inbox
from connectors.outbox import Outbox
from connectors.spool import open_spool
from tests.connectors.apps import App
from tests.connectors.office import Office, sql_config, write_back
from tests.connectors.processes import ConnectorProcess, eventually

SECRET = "Kalimat rahasia yang hanya ada di laporan ini"

VERSION_1 = """
CREATE TABLE complaints (
    reference TEXT PRIMARY KEY, source_key TEXT NOT NULL, state TEXT NOT NULL, content BLOB, photos BLOB,
    digest BLOB, attempted INTEGER NOT NULL DEFAULT 0, reason TEXT, case_id TEXT, row_hash BLOB NOT NULL,
    mapped_by BLOB NOT NULL, first_seen TEXT NOT NULL, changed_later INTEGER NOT NULL DEFAULT 0,
    status_written TEXT, route BLOB, route_state TEXT NOT NULL DEFAULT 'none', route_reason TEXT
) WITHOUT ROWID;
CREATE INDEX complaints_open ON complaints (state, first_seen) WHERE state = 'pending';
INSERT INTO complaints
    (reference, source_key, state, case_id, row_hash, mapped_by, first_seen, status_written)
    VALUES ('1', '1', 'sent', 'case-1', x'00', x'00', '2026-03-11', 'proses'),
           ('2', '2', 'pending', NULL, x'00', x'00', '2026-03-11', NULL);
PRAGMA user_version = 1;
"""


def seen(reference: str = "1", row: bytes = b"r") -> Seen:
    return Seen(reference, reference, row, b"m", "2026-03-11T00:00:00+00:00")


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("connector.spool*"))


def test_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    loose = tmp_path / "connector.spool"
    loose.touch(0o644)
    spool = open_spool(loose)
    spool.put("x", "1")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    assert {"connector.spool", "connector.spool-wal", "connector.spool.key"} <= set(modes)
    with pytest.raises(SpoolInUse):
        open_spool(loose)
    spool.close()
    open_spool(loose).close()


def test_content_is_gone_after_the_acknowledgement_and_its_digest_stays(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "connector.spool")
    outbox = Outbox(spool)
    for number in range(50):
        outbox.queue(seen(str(number)), f"{SECRET} {number} ".encode() * 40, [], [])
    assert SECRET.encode() in raw(tmp_path)
    for number in range(50):
        outbox.acknowledge(str(number), f"case-{number}", routed=False)
    spool.forget_freed()
    assert SECRET.encode() not in raw(tmp_path)
    (digests,) = spool.connection.execute(
        "SELECT count(*) FROM complaints WHERE length(digest) = 32"
    ).fetchone()
    assert digests == 50
    spool.close()


def test_a_spool_of_an_older_connector_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "connector.spool"
    with closing(sqlite3.connect(path)) as older:
        older.executescript(VERSION_1)
    spool = open_spool(path)
    outbox = Outbox(spool)
    known = outbox.find(["1", "2"])
    assert (known["1"].status_written, known["1"].status_sequence) == ("proses", None)
    assert [entry.reference for entry in outbox.waiting(10)] == ["2"]
    outbox.note_status("1", "selesai", 7)
    outbox.postpone("2", "500", 5.0)
    spool.close()
    again = open_spool(path)
    assert Outbox(again).find(["1"])["1"].status_sequence == 7
    assert [entry.failures for entry in Outbox(again).failing(5.0, 10)] == [1]
    again.close()


def test_a_spool_of_a_newer_connector_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "connector.spool"
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigRefused, match=r"another version \(99\)"):
        open_spool(path)
    path.unlink()
    open_spool(path).close()  # the refusal let go of the lock


def test_what_was_acknowledged_is_never_queued_again(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "connector.spool")
    outbox = Outbox(spool)
    outbox.queue(seen(), b"one", [], [])
    outbox.acknowledge("1", "case-1", routed=False)
    outbox.queue(seen(row=b"changed"), b"two", [], [])
    outbox.hold(seen(row=b"changed"), "why")
    entry = outbox.find(["1"])["1"]
    assert (entry.state, entry.content, entry.reason) == ("sent", None, None)
    spool.close()


def test_a_row_hash_cannot_be_tested_without_the_key(tmp_path: Path) -> None:
    spools = [open_spool(tmp_path / name) for name in ("a.spool", "b.spool")]
    hashes = {spool.keyed_hash(b"6202051507880003") for spool in spools}
    assert len(hashes) == 2
    for spool in spools:
        spool.close()


def test_events_wait_in_order_per_subject_and_hold_no_other_subject(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "connector.spool")
    inbox = Inbox(spool)
    for position, (name, subject) in enumerate([("a1", "a"), ("a2", "a"), ("b1", "b")], 1):
        assert inbox.take({"id": name, "subject": subject}, True, position)
        assert not inbox.take({"id": name, "subject": subject}, True, position)
    first = {waiting.event["id"]: waiting.number for waiting in inbox.ready(0, 10)}
    assert set(first) == {"a1", "b1"}
    inbox.postpone(first["a1"], "away", 100)
    inbox.done(first["b1"])
    assert inbox.ready(50, 10) == []
    assert inbox.settled_position(3) == 0
    inbox.done(first["a1"])
    assert [waiting.event["id"] for waiting in inbox.ready(50, 10)] == ["a2"]
    assert inbox.settled_position(3) == 1
    assert ATTEMPTS > 1
    spool.close()


def test_no_text_of_a_complaint_or_an_answer_is_left_on_the_disk(
    sqlite: App, office: Office, connector: ConnectorProcess
) -> None:
    sqlite.report(SECRET)
    sql_config(sqlite, office, connector, write_back(office.ministry))
    connector.start()
    eventually(lambda: office.answer_all(f"{SECRET}: selesai."), "the ministry answers")
    eventually(lambda: sqlite.run("SELECT * FROM tanggapan"), "the answer is written")
    eventually(lambda: SECRET.encode() not in raw(connector.folder), "nothing is left")
    assert SECRET not in connector.log.read_text()
    connector.stop()
    assert SECRET.encode() not in raw(connector.folder)


def test_a_spool_that_cannot_be_used_is_one_line_for_check_and_run(
    sqlite: App, office: Office, connector: ConnectorProcess, tmp_path: Path
) -> None:
    sqlite.report("Jalan rusak.")
    sql_config(sqlite, office, connector)
    text = connector.config.read_text()
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("Bukan basis data, tetapi catatan rapat bulan Maret.\n" * 20)
    for path, words in (
        (tmp_path / "folder", "is a folder; name a file, such as"),
        (tmp_path / "notes.txt", "cannot be used (file is not a database)"),
        (Path("/proc/connector.spool"), "cannot be used ("),
        (tmp_path / ("x" * 300), "cannot be used (File name too long)"),
    ):
        connector.config.write_text(text.replace(str(connector.spool), str(path)))
        ended = connector.run("run")
        assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
        assert f"spool: {path} {words}" in ended.stderr
        checked = connector.run("check")
        if path.parent != Path("/proc"):  # what no folder's rights show is seen when it is written
            assert checked.returncode == 1, checked.stdout
            assert f"WRONG  spool: {path} {words}" in checked.stdout
        assert checked.stderr == ""


def test_a_full_disk_is_named_as_such_and_passes(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "connector.spool")
    pages = spool.connection.execute("PRAGMA page_count").fetchone()[0]
    spool.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="disk is full"):
        spool.put("large", "x" * 100_000)
    spool.connection.execute("PRAGMA max_page_count = 100000")
    spool.put("large", "x" * 100_000)
    assert len(spool.get("large")) == 100_000
    spool.close()


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    """Else everything after it would nest into that one, and never be written."""
    spool = open_spool(tmp_path / "connector.spool")
    spool.connection.executescript(
        "PRAGMA foreign_keys = ON; CREATE TABLE a (id INTEGER PRIMARY KEY); "
        "CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);"
    )
    with pytest.raises(sqlite3.IntegrityError), spool.transaction() as connection:
        connection.execute("INSERT INTO b VALUES (1)")  # SQLite looks at it when it commits
    assert not spool.connection.in_transaction
    spool.put("later", "1")
    spool.close()
    again = open_spool(tmp_path / "connector.spool")
    assert again.get("later") == "1"
    again.close()
