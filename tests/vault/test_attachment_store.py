"""Attachments on the disk: whole or not there, unreadable without their key, and limited while received."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from hub.ports.attachments import AttachmentsUnavailable, FileBroken, FileMissing, FileTooLarge, StoredFile
from hub.vault import attachments as module
from hub.vault.attachments import AttachmentStore
from hub.vault.chunks import PIECE
from hub.vault.sealer import Sealer

LIMIT = 10 * 1024 * 1024
SIZES = [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 17]


@pytest.fixture
def store(tmp_path: Path, sealer: Sealer) -> AttachmentStore:
    return AttachmentStore(tmp_path / "attachments", sealer, wall_clock=lambda: 4_000_000_000.0)


def content(size: int) -> bytes:
    return (b"foto jalan rusak di depan pasar " * (size // 32 + 1))[:size]


def on_disk(tmp_path: Path) -> list[Path]:
    return [p for p in (tmp_path / "attachments").rglob("*") if p.is_file()]


def locations(tmp_path: Path) -> set[str]:
    """Of every stored file."""
    return {path.name for path in (tmp_path / "attachments").glob("??/*")}


def path_of(tmp_path: Path, stored: StoredFile) -> Path:
    return tmp_path / "attachments" / stored.location[:2] / stored.location


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [7_919, PIECE, 1_000_000])
def test_what_was_put_is_read_again(store: AttachmentStore, size: int, step: int) -> None:
    data = content(size)
    stored = store.put((data[at : at + step] for at in range(0, size, step)), LIMIT)
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored.size == size
    pieces = list(store.open(stored.sha256, stored.file_key))
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= PIECE for piece in pieces)


def test_neither_content_nor_hash_is_on_the_disk(store: AttachmentStore, tmp_path: Path) -> None:
    stored = store.put([content(3 * PIECE)], LIMIT)
    (path,) = on_disk(tmp_path)
    raw = path.read_bytes()
    assert b"foto jalan" not in raw
    assert stored.sha256 not in str(path)
    assert bytes.fromhex(stored.sha256) not in raw
    assert stored.file_key not in raw
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "attachments").stat().st_mode & 0o077 == 0


def test_the_limit_holds_while_it_is_read_and_nothing_stays(store: AttachmentStore, tmp_path: Path) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1000

    with pytest.raises(FileTooLarge, match="100000 bytes"):
        store.put(endless(), 100_000)  # type: ignore[arg-type]
    assert taken == 101
    assert on_disk(tmp_path) == []
    assert store.put([b"x" * 1000], 1000).size == 1000


def test_an_interrupted_upload_leaves_nothing(store: AttachmentStore, tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), store.begin(LIMIT) as upload:
        upload.write(content(PIECE))
        raise ConnectionResetError
    assert on_disk(tmp_path) == []


@pytest.mark.parametrize("size", [0, 5, PIECE, PIECE + 5])
def test_every_kind_of_alteration_is_noticed(store: AttachmentStore, tmp_path: Path, size: int) -> None:
    stored = store.put([content(size)], LIMIT)
    path = path_of(tmp_path, stored)
    whole = path.read_bytes()
    spots = [*range(min(len(whole), 60)), len(whole) // 2, *range(len(whole) - 20, len(whole))]
    altered = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in spots]
    altered += [whole[:-1], whole + b"x", whole[: 8 + PIECE + 16] if size > PIECE else whole[:8], b""]
    for raw in altered:
        path.write_bytes(raw)
        with pytest.raises(FileBroken):
            list(store.open(stored.sha256, stored.file_key))


def test_pieces_do_not_change_places(store: AttachmentStore, tmp_path: Path) -> None:
    stored = store.put([content(3 * PIECE)], LIMIT)
    path = path_of(tmp_path, stored)
    raw, step = path.read_bytes(), PIECE + 16
    head, first, second, third = raw[:8], raw[8 : 8 + step], raw[8 + step : 8 + 2 * step], raw[8 + 2 * step :]
    for order in ((second, first, third), (first, third), (first, second), (first, first, third)):
        path.write_bytes(head + b"".join(order))
        with pytest.raises(FileBroken):
            list(store.open(stored.sha256, stored.file_key))


def test_the_same_content_twice_is_two_files(store: AttachmentStore, tmp_path: Path) -> None:
    one, two = store.put([b"sama"], LIMIT), store.put([b"sama"], LIMIT)
    assert one.sha256 == two.sha256
    assert locations(tmp_path) == {one.location, two.location}
    assert store.delete(one.location)
    assert not store.delete(one.location)
    with pytest.raises(FileMissing):
        store.open(one.sha256, one.file_key)
    assert b"".join(store.open(two.sha256, two.file_key)) == b"sama"


def test_another_key_finds_nothing(store: AttachmentStore) -> None:
    one, two = store.put([b"satu"], LIMIT), store.put([b"dua"], LIMIT)
    with pytest.raises(FileMissing):
        store.open(one.sha256, two.file_key)


@pytest.mark.parametrize("location", ["", "../master.key", "ab", "A" * 64, "a" * 63 + "/"])
def test_a_location_is_never_a_path(store: AttachmentStore, location: str) -> None:
    with pytest.raises(ValueError, match="not a location"):
        store.delete(location)


def test_leftovers_are_swept_by_their_age(tmp_path: Path, sealer: Sealer) -> None:
    folder = tmp_path / "attachments"
    store = AttachmentStore(folder, sealer, wall_clock=lambda: 10_000.0)
    kept = store.put([b"x"], LIMIT)
    assert store.sweep(0) == 0
    for name, moment in (("old", 1_000), ("young", 9_999)):
        (folder / "incoming" / name).write_bytes(b"?")
        os.utime(folder / "incoming" / name, (moment, moment))
    assert store.sweep(3_600) == 1
    assert (folder / "incoming" / "young").exists()
    assert locations(tmp_path) == {kept.location}


@pytest.mark.parametrize("step", ["fsync", "write"])
def test_a_full_disk_is_said_and_nothing_stays(
    store: AttachmentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A disk cannot be filled up here, so the operating system's refusal is put in its place."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "fsync":
        monkeypatch.setattr(module.os, "fsync", full)
    else:
        monkeypatch.setattr(module.PieceWriter, "write", full)
    with pytest.raises(AttachmentsUnavailable, match="No space left"):
        store.put([content(3 * PIECE)], LIMIT)
    monkeypatch.undo()
    assert on_disk(tmp_path) == []
