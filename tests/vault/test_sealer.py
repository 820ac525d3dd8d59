"""Sealing: round trips, and every way of altering or misplacing what was sealed is noticed."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.ports.sealing import KeyUnavailable, Part, SealBroken, WrappedKey
from hub.vault import sealer as module
from hub.vault.master_key import Keyring, MasterKeyFile
from hub.vault.primitives import hmac_sha256
from hub.vault.sealer import Sealer

LATER = datetime(2025, 4, 1, tzinfo=UTC)
FAR = datetime(2026, 1, 1, tzinfo=UTC)
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)


@shared
@given(st.dictionaries(st.sampled_from(["masked", "original"]), st.binary(max_size=3000), min_size=1))
def test_what_was_sealed_opens_again(sealer: Sealer, parts: dict[Part, bytes]) -> None:
    key = sealer.new_stream_key("case:1")
    sealed = sealer.seal_event(key, "e1", parts)
    again = sealer.open_stream_key(key.wrapped)
    for part in ("masked", "original"):
        assert sealer.open_event(again, "e1", sealed, part) == parts.get(part)
        if part in parts:
            assert sealer.open_part(sealer.part_key(key, "e1", part), "e1", sealed, part) == parts[part]


@pytest.mark.parametrize(
    "parts", [{"masked": b"satu"}, {"original": b"dua"}, {"masked": b"", "original": b"x"}]
)
def test_every_altered_byte_of_an_event_is_noticed(sealer: Sealer, parts: dict[Part, bytes]) -> None:
    key = sealer.new_stream_key("case:1")
    sealed = sealer.seal_event(key, "e1", parts)
    for at in range(len(sealed)):
        for flip in (1, 2, 3, 0x80):
            altered = sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :]
            noticed = 0
            for part in ("masked", "original"):
                try:
                    assert sealer.open_event(key, "e1", altered, part) == parts.get(part)
                except SealBroken:
                    noticed += 1
            assert noticed, f"byte {at} xor {flip}"


def test_a_cut_or_lengthened_event_is_noticed(sealer: Sealer) -> None:
    key = sealer.new_stream_key("case:1")
    sealed = sealer.seal_event(key, "e1", {"masked": b"satu", "original": b"dua"})
    for altered in [sealed[:n] for n in range(len(sealed))] + [sealed + b"\0"]:
        for part in ("masked", "original"):
            with pytest.raises(SealBroken):
                sealer.open_event(key, "e1", altered, part)


def test_an_original_taken_away_is_noticed(sealer: Sealer) -> None:
    """The remaining part, reframed as if it had always been alone, does not vouch for that."""
    key = sealer.new_stream_key("case:1")
    sealed = sealer.seal_event(key, "e1", {"masked": b"satu", "original": b"dua"})
    length = int.from_bytes(sealed[2:6], "big")
    alone = b"\x01\x01" + sealed[2:6] + sealed[10 : 10 + length]
    with pytest.raises(SealBroken):
        sealer.open_event(key, "e1", alone, "original")


def test_another_stream_event_or_part_is_refused(sealer: Sealer) -> None:
    key, other = sealer.new_stream_key("case:1"), sealer.new_stream_key("case:1")
    sealed = sealer.seal_event(key, "e1", {"masked": b"satu", "original": b"dua"})
    disclosed = sealer.part_key(key, "e1", "masked")
    for attempt in (
        lambda: sealer.open_event(other, "e1", sealed, "masked"),
        lambda: sealer.open_event(key, "e2", sealed, "masked"),
        lambda: sealer.open_part(disclosed, "e1", sealed, "original"),
        lambda: sealer.open_part(disclosed, "e2", sealed, "masked"),
        lambda: sealer.open_part(b"short", "e1", sealed, "masked"),
    ):
        with pytest.raises(SealBroken):
            attempt()


def test_no_part_or_an_unknown_one_is_not_sealed(sealer: Sealer) -> None:
    key = sealer.new_stream_key("case:1")
    for parts in ({}, {"notes": b"x"}, {"masked": b"x", "notes": b"x"}):
        with pytest.raises(ValueError, match="masked"):
            sealer.seal_event(key, "e1", parts)  # type: ignore[arg-type]


def test_wrapped_keys_are_bound_to_their_stream_and_noticed_when_altered(sealer: Sealer) -> None:
    wrapped = sealer.new_stream_key("case:1").wrapped
    assert len(wrapped.wrapped) == 60
    with pytest.raises(SealBroken):
        sealer.open_stream_key(WrappedKey("case:2", 1, wrapped.wrapped))
    for at in range(60):
        altered = bytearray(wrapped.wrapped)
        altered[at] ^= 1
        with pytest.raises(SealBroken):
            sealer.open_stream_key(WrappedKey("case:1", 1, bytes(altered)))


def test_identities_are_bound_to_their_case(sealer: Sealer) -> None:
    key = sealer.new_stream_key("case:1")
    sealed = sealer.seal_identity(key, "1", b"Siti Aminah")
    assert sealer.open_identity(key, "1", sealed) == b"Siti Aminah"
    assert b"Siti" not in sealed
    with pytest.raises(SealBroken):
        sealer.open_identity(key, "2", sealed)
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(SealBroken):
            sealer.open_identity(key, "1", bytes(altered))


def test_digests_depend_on_key_purpose_and_data(sealer: Sealer) -> None:
    a, b = sealer.new_stream_key("case:1"), sealer.new_stream_key("case:1")
    digests = {
        sealer.keyed_digest(a, "content", b"x"),
        sealer.keyed_digest(a, "content", b"y"),
        sealer.keyed_digest(a, "other", b"x"),
        sealer.keyed_digest(b, "content", b"x"),
        sealer.hub_digest("content", b"x"),
        sealer.hub_digest("idempotency", b"x"),
    }
    assert len(digests) == 6
    assert all(len(digest) == 32 for digest in digests)


def test_a_rotation_by_another_process_is_in_force_after_a_refresh(
    sealer: Sealer, key_file: MasterKeyFile
) -> None:
    old = sealer.new_stream_key("case:1")
    digest = sealer.hub_digest("idempotency", b"kunci")
    MasterKeyFile(key_file.path).rotate(LATER)
    assert sealer.refresh() == 2
    fresh = sealer.new_stream_key("case:2")
    assert fresh.wrapped.generation == 2
    assert sealer.open_stream_key(old.wrapped).key == old.key
    assert (
        sealer.hub_digest("idempotency", b"kunci")
        == digest
        == Sealer(key_file).hub_digest("idempotency", b"kunci")
    )


def test_a_newer_generation_is_found_without_a_refresh(sealer: Sealer, key_file: MasterKeyFile) -> None:
    key_file.rotate(LATER)
    fresh = Sealer(key_file).new_stream_key("case:2")
    assert sealer.open_stream_key(fresh.wrapped).key == fresh.key


def test_after_rewrapping_the_old_generation_may_go(sealer: Sealer, key_file: MasterKeyFile) -> None:
    old = sealer.new_stream_key("case:1")
    key_file.rotate(LATER)
    sealer.refresh()
    moved = sealer.rewrap(old.wrapped)
    assert moved.generation == 2
    assert sealer.rewrap(moved) is moved
    assert key_file.destroy(retired_before=LATER) == ()
    assert key_file.destroy(retired_before=FAR) == (1,)
    sealer.refresh()
    assert sealer.open_stream_key(moved).key == old.key
    with pytest.raises(KeyUnavailable) as raised:
        sealer.open_stream_key(old.wrapped)
    assert raised.value.generation == 1


def test_what_is_stored_is_wrapped_under_the_key_of_now(sealer: Sealer, key_file: MasterKeyFile) -> None:
    """Also where the generation of its making is gone by then."""
    old = sealer.new_stream_key("case:1")
    assert sealer.wrap_now(old) is old.wrapped
    key_file.rotate(LATER)
    key_file.destroy(retired_before=FAR)
    sealer.refresh()
    assert sealer.wrap_now(old).generation == 2
    assert sealer.open_stream_key(sealer.wrap_now(old)).key == old.key


def test_an_upload_sees_a_rotation_at_once(sealer: Sealer, key_file: MasterKeyFile) -> None:
    key_file.rotate(LATER)
    assert sealer.wrap_file_key("uploader:dinas", "ab" * 32, b"k" * 32).generation == 2


def test_file_keys_open_for_their_holder_and_file_only(sealer: Sealer, key_file: MasterKeyFile) -> None:
    file_key, case, thread = (
        sealer.new_file_key(),
        sealer.new_stream_key("case:1"),
        sealer.new_stream_key("t"),
    )
    sha = "ab" * 32
    for holder, others in (
        ("uploader:dinas", ("uploader:lain", case)),
        (case, ("uploader:dinas", thread)),
    ):
        wrapped = sealer.wrap_file_key(holder, sha, file_key)
        assert sealer.unwrap_file_key(holder, sha, wrapped) == file_key
        assert wrapped.stream.endswith(f"/file:{sha}")
        for other in others:
            with pytest.raises(SealBroken):
                sealer.unwrap_file_key(other, sha, wrapped)
        with pytest.raises(SealBroken):
            sealer.unwrap_file_key(holder, "cd" * 32, wrapped)
    with pytest.raises(ValueError, match="uploader"):
        sealer.wrap_file_key("dinas", sha, file_key)


def test_an_uploaders_wrap_follows_a_rotation(sealer: Sealer, key_file: MasterKeyFile) -> None:
    wrapped = sealer.wrap_file_key("uploader:dinas", "ab" * 32, b"k" * 32)
    key_file.rotate(LATER)
    sealer.refresh()
    moved = sealer.rewrap(wrapped)
    assert moved.generation == 2
    assert sealer.unwrap_file_key("uploader:dinas", "ab" * 32, moved) == b"k" * 32
    assert sealer.unwrap_file_key(moved.stream, "ab" * 32, moved) == b"k" * 32


def test_keys_do_not_show_in_what_is_logged(sealer: Sealer, key_file: MasterKeyFile, tmp_path: Path) -> None:
    key = sealer.new_stream_key("case:1")
    assert repr(key.key) not in repr(key)
    assert repr(key_file.load().hub_secret) not in repr(key_file.load())
    assert repr(key_file.load().current.key) not in repr(key_file.load())


def test_what_is_done_at_every_request_reads_no_file_and_derives_no_key_twice(
    sealer: Sealer, key_file: MasterKeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[None] = []
    derived: list[bytes] = []
    load, expand = MasterKeyFile.load, module.expand

    def counted_load(file: MasterKeyFile) -> Keyring:
        reads.append(None)
        return load(file)

    def counted_expand(key: bytes, info: bytes) -> bytes:
        derived.append(info)
        return expand(key, info)

    monkeypatch.setattr(MasterKeyFile, "load", counted_load)
    monkeypatch.setattr(module, "expand", counted_expand)
    for _ in range(5):
        sealer.refresh()
        sealer.hub_digest("idempotency", b"kunci")
    assert (reads, len(derived)) == ([], 1)
    key_file.rotate(LATER)
    reads.clear()
    assert [sealer.refresh() for _ in range(5)] == [2] * 5
    assert len(reads) == 1, "a changed file is read once"


@given(st.binary(max_size=64), st.binary(max_size=3000))
def test_our_hmac_is_the_standard_librarys(key: bytes, message: bytes) -> None:
    assert hmac_sha256(key, message) == hmac.digest(key, message, "sha256")


def test_another_hubs_master_key_is_named_as_what_is_wrong(sealer: Sealer, tmp_path: Path) -> None:
    """In the middle of a disaster, "altered" alone would be read as a spoilt backup."""
    other = MasterKeyFile(tmp_path / "other" / "master.key")
    other.ensure(LATER)
    wrapped = sealer.new_stream_key("case:1").wrapped
    with pytest.raises(SealBroken, match=r"other/master\.key: either that is another hub's file"):
        Sealer(other).open_stream_key(wrapped)
