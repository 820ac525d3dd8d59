"""The rows that the master key wraps, replaced in bounded batches: all of them, on each engine, and none that
changed meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.ports.files import FileRow
from hub.ports.sealing import WrappedKey
from hub.store import rewrapping
from hub.store.files import FileTables
from hub.store.rewrapping import WrappedKeys
from hub.vault.master_key import MasterKeyFile
from hub.vault.sealer import Sealer
from tests.service.hubworld import TurnedClock

SHA = "ab" * 32
WHEN = "2026-11-20T08:00:00.000Z"


@pytest.fixture
def key_file(tmp_path: Path) -> MasterKeyFile:
    file = MasterKeyFile(tmp_path / "master.key")
    file.ensure(TurnedClock().now())
    return file


def put(store: Any, key: WrappedKey) -> None:
    with store.writing() as db:
        db.execute("INSERT INTO stream_keys VALUES (?, ?, ?)", (key.stream, key.generation, key.wrapped))


def stored(store: Any) -> list[WrappedKey]:
    with store.connection() as db:
        return [WrappedKey(*row) for row in db.execute("SELECT * FROM stream_keys ORDER BY stream")]


def test_streams_and_uploads_follow_in_batches(
    store: Any, key_file: MasterKeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrapping, "AT_ONCE", 2)
    sealer, keys, files = Sealer(key_file), WrappedKeys(store), FileTables(store)
    made = {f"s{n}": sealer.new_stream_key(f"s{n}") for n in range(5)}
    for key in made.values():
        put(store, key.wrapped)
    uploads = [("a" * 64, "dinas"), (SHA, "dinas"), (SHA, "lain")]
    for sha256, agency in uploads:
        wrapped = sealer.wrap_file_key(f"uploader:{agency}", sha256, b"k" * 32)
        files.put(FileRow(sha256, agency, "image/png", 1, wrapped, sha256 + agency, WHEN))
    files.put(FileRow("c" * 64, "dinas", "image/png", 1, None, "named", WHEN))
    assert keys.generations() == {1}

    key_file.rotate(TurnedClock().now())
    current = sealer.refresh()
    assert list(keys.rewrap(current, sealer.rewrap)) == [2, 2, 1, 2, 1]
    assert list(keys.rewrap(current, sealer.rewrap)) == []
    assert keys.generations() == {2}
    assert [sealer.open_stream_key(row).key for row in stored(store)] == [key.key for key in made.values()]
    for sha256, agency in uploads:
        rows = [row.wrapped for row in files.uploads(sha256) if row.agency == agency]
        assert sealer.unwrap_file_key(f"uploader:{agency}", sha256, rows[0]) == b"k" * 32


def test_what_is_erased_or_replaced_meanwhile_is_left_alone(store: Any, key_file: MasterKeyFile) -> None:
    sealer, keys = Sealer(key_file), WrappedKeys(store)
    for name in ("erased", "kept", "replaced"):
        put(store, sealer.new_stream_key(name).wrapped)
    other = sealer.new_stream_key("replaced").wrapped
    key_file.rotate(TurnedClock().now())
    current = sealer.refresh()

    def meanwhile(wrapped: WrappedKey) -> WrappedKey:
        if wrapped.stream == "erased":
            with store.writing() as db:
                db.execute("DELETE FROM stream_keys WHERE stream IN ('erased', 'replaced')")
            put(store, other)
        return sealer.rewrap(wrapped)

    assert list(keys.rewrap(current, meanwhile)) == [1]
    assert [(row.stream, row.generation) for row in stored(store)] == [("kept", 2), ("replaced", 1)]
    assert list(keys.rewrap(current, sealer.rewrap)) == [1], "the next pass finds it"


def test_an_altered_key_is_told_and_stops_nobody(store: Any, key_file: MasterKeyFile) -> None:
    sealer, keys = Sealer(key_file), WrappedKeys(store)
    put(store, WrappedKey("altered", 1, bytes(60)))
    put(store, sealer.new_stream_key("whole").wrapped)
    key_file.rotate(TurnedClock().now())
    assert list(keys.rewrap(sealer.refresh(), sealer.rewrap)) == [1]
    assert keys.broken == {"altered"}
    assert keys.generations() == {1, 2}
