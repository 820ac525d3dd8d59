"""An evidence file that was touched, wherever and however, is noticed; and where, is named."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import orjson
import pytest
from hypothesis import given, settings

from auth.evidence_signing import _P256_ORDER, key_set
from auth.keys import SigningKey, generate_signing_key, jwks
from hub.cli.verify import trust
from hub.domain.evidence import checkpoint, climb, leaf
from hub.domain.evidence_check import END_BYTES, Trust, touched_as_a_whole, verified
from tests.evidence.evidencework import (
    EvidenceWorld,
    broken,
    document_of,
    sealed_again,
    signer_of,
)
from tests.service.hubworld import KOTIM, PLN, START

Document = dict[str, Any]


@pytest.fixture(scope="session")
def keys() -> tuple[SigningKey, SigningKey]:
    """The hub's, and a forger's."""
    return generate_signing_key(START), generate_signing_key(START, "EdDSA")


def trusting(*trusted: SigningKey) -> Trust:
    return trust(key_set(orjson.dumps(jwks(trusted, START)).decode()))


@pytest.fixture
async def exported(plain_world: EvidenceWorld) -> tuple[bytes, Trust]:
    """The evidence of a case of 30 events."""
    case_id = plain_world.long_case(30)
    with plain_world.desks() as desks:
        return await plain_world.export(desks, KOTIM, case_id), plain_world.trust


def test_every_byte_counts(exported: tuple[bytes, Trust]) -> None:
    """Each byte of the file in turn, to values near and far: digest or signature notice it. `verified` ends
    with the same question, so that whatever the links miss is found there."""
    file, by = exported
    assert verified(file, by).events == 30
    assert touched_as_a_whole(file, by) is None
    changed = bytearray(file)
    for place, byte in enumerate(file):
        flips = (1, 2, 4, 8, 16, 32, 64, 128, 255) if place >= len(file) - END_BYTES else (1, 32)
        for flip in flips:
            changed[place] = byte ^ flip
            assert touched_as_a_whole(bytes(changed), by), f"byte {place}, {byte} made {byte ^ flip}"
        changed[place] = byte


def test_bytes_here_and_there_are_refused_by_the_whole_check(exported: tuple[bytes, Trust]) -> None:
    file, by = exported
    for place in [*range(0, len(file), 53), *range(len(file) - END_BYTES, len(file))]:
        changed = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        assert broken(changed, by)


def test_cut_lengthened_or_no_file_at_all(exported: tuple[bytes, Trust]) -> None:
    file, by = exported
    for length in (
        *range(0, len(file), 997),
        len(file) - 1,
        len(file) - END_BYTES,
        len(file) - END_BYTES + 1,
    ):
        assert broken(file[:length], by)
        assert touched_as_a_whole(file[:length], by)
    for more in (b"\n", b" ", b"\0", b"{}", file):
        assert broken(file + more, by)
        assert broken(more + file, by)
    for other in (b"null", b"[]", b"{}", b"\xff", b'{"format":"simpul-evidence","version":1}', b"[" * 9999):
        assert broken(other, by)


def test_the_same_said_otherwise(exported: tuple[bytes, Trust]) -> None:
    """What a reader of JSON would not notice."""
    file, by = exported
    document = orjson.loads(file)
    assert orjson.dumps(document) == file
    other_order = orjson.dumps(dict(reversed(document.items())))
    twice = file.replace(b'{"format"', b'{"case":"lain","format"', 1)
    number = file.replace(b'"version":1,', b'"version":1.0,', 1)
    escaped = file.replace(b"simpul-evidence", b"simpul\\u002devidence", 1)
    for each in (orjson.dumps(document, option=orjson.OPT_INDENT_2), other_order, twice, number, escaped):
        assert each != file
        assert broken(each, by)


CHANGES: dict[str, tuple[Callable[[list[Document]], object], str]] = {
    "removed": (lambda events: events.pop(11), "number 11 is followed by 13"),
    "first removed": (lambda events: events.pop(0), "number 0 is followed by 2"),
    "last removed": (lambda events: events.pop(), "the last were removed"),
    "swapped": (lambda events: events.insert(4, events.pop(5)), "number 4 is followed by 6"),
    "added": (lambda events: events.append(events[-1] | {"sequence": 31}), "Event 31 of stream"),
    "added unseen": (
        lambda events: events.append({"sequence": 31, "chain": "00" * 32, "withheld": True}),
        "something added",
    ),
    "repeated": (lambda events: events.insert(3, events[2]), "number 3 is followed by 3"),
    "renumbered": (
        lambda events: [events.pop(11), *(e.update(sequence=e["sequence"] - 1) for e in events[11:])],
        "Event 12 of stream",
    ),
    "another's chain": (lambda events: events[7].update(chain=events[6]["chain"]), "Event 8 of stream"),
    "bytes": (lambda events: events[7].update(header=events[8]["header"]), "Event 8 of stream"),
    "words": (lambda events: events[7].update(sealed=events[8]["sealed"]), "Event 8 of stream"),
    "no words": (lambda events: events[7].pop("sealed"), "Event 8 of stream"),
    "another's key": (lambda events: events[7].update(keys=events[8]["keys"]), "does not open its words"),
    "a short key": (lambda events: events[7].update(keys={"masked": "AAAA"}), "does not open its words"),
    "a key for nothing": (
        lambda events: events[7]["keys"].update(original="AAAA"),
        "words that it does not have",
    ),
    "hidden": (
        lambda events: [events[7].pop(name) for name in ("header", "sealed", "keys")],
        "digest over the whole file does not",
    ),
    "closed": (lambda events: events[7].pop("keys"), "digest over the whole file does not"),
    "told": (
        lambda events: [events[7].pop("header"), events[7].update(told={"subject": "x", "sequence": "y"})],
        "told as another event",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_the_first_broken_link_is_named(exported: tuple[bytes, Trust], change: str) -> None:
    file, by = exported
    document = orjson.loads(file)
    change_events, sentence = CHANGES[change]
    change_events(document["streams"][0]["events"])
    said = broken(orjson.dumps(document), by)
    assert sentence in said
    assert "\n" not in said


@pytest.mark.parametrize("change", CHANGES)
def test_who_seals_the_touched_file_again_with_another_key_gains_nothing(
    exported: tuple[bytes, Trust], keys: tuple[SigningKey, SigningKey], change: str
) -> None:
    file, by = exported
    document = document_of(file)
    CHANGES[change][0](document["streams"][0]["events"])
    forged = sealed_again(document, signer_of(keys[1]))
    assert broken(forged, by)
    if CHANGES[change][1].startswith("digest"):
        assert keys[1].kid in broken(forged, by)


def test_a_cut_tail_is_in_no_checkpoint(exported: tuple[bytes, Trust]) -> None:
    """Length and head made to fit; the signed root does not know them."""
    file, by = exported
    document = orjson.loads(file)
    stream = document["streams"][0]
    stream["events"].pop()
    stream["length"], stream["head"] = 29, stream["events"][-1]["chain"]
    assert "is not in the checkpoint" in broken(orjson.dumps(document), by)


def test_a_forged_checkpoint(exported: tuple[bytes, Trust], keys: tuple[SigningKey, SigningKey]) -> None:
    file, by = exported
    document = orjson.loads(file)
    stream, said = document["streams"][0], document["checkpoint"]
    stream["events"].pop()
    stream["length"], stream["head"] = 29, stream["events"][-1]["chain"]
    path = [(step["side"], bytes.fromhex(step["hash"])) for step in stream["path"]]
    root = climb(leaf(stream["stream"], 29, bytes.fromhex(stream["head"])), path)
    old = said["signature"]
    said["root"] = root.hex()
    assert "signature of the checkpoint" in broken(orjson.dumps(document), by)
    made = checkpoint(
        hub=said["hub"],
        incarnation=said["incarnation"],
        made_at=said["made_at"],
        position=said["position"],
        streams=said["streams"],
        root=root,
        signer=signer_of(keys[1]),
    )
    document["checkpoint"] = made
    assert keys[1].kid in broken(orjson.dumps(document), by)
    document["checkpoint"] = made | {"signature": made["signature"] | {"kid": old["kid"]}}
    assert "is not one of the hub's key" in broken(orjson.dumps(document), by)


@pytest.mark.parametrize("name", ["hub", "incarnation"])
def test_a_checkpoint_of_another_hub(exported: tuple[bytes, Trust], name: str) -> None:
    document = orjson.loads(exported[0])
    document[name] = "lain"
    assert f"of another {name}" in broken(orjson.dumps(document), exported[1])


def test_a_key_that_is_not_the_hubs(
    exported: tuple[bytes, Trust], keys: tuple[SigningKey, SigningKey]
) -> None:
    file, _ = exported
    assert "not among the hub's keys" in broken(file, trusting(*keys))


@pytest.mark.parametrize("which", [0, 1])
def test_both_kinds_of_key_sign(
    exported: tuple[bytes, Trust], keys: tuple[SigningKey, SigningKey], which: int
) -> None:
    """A file sealed by a key that is trusted holds; its checkpoint, by the hub's key, does not without it."""
    file, _ = exported
    document, signer = document_of(file), signer_of(keys[which])
    said = {n: document["checkpoint"][n] for n in ("hub", "incarnation", "made_at", "position", "streams")}
    root = bytes.fromhex(document["checkpoint"]["root"])
    document["checkpoint"] = checkpoint(**said, root=root, signer=signer)
    again = sealed_again(document, signer)
    assert verified(again, trusting(keys[which])).kid == keys[which].kid
    assert len(again) == len(file)
    assert broken(again, trusting(keys[1 - which]))


def test_the_other_s_of_an_ecdsa_signature_is_not_taken(exported: tuple[bytes, Trust]) -> None:
    """Anyone can make (r, n - s) of (r, s): it would be another file that holds."""
    file, by = exported
    document = orjson.loads(file)
    raw = base64.urlsafe_b64decode(document["signature"]["value"] + "==")
    other = raw[:32] + (_P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    document["signature"]["value"] = base64.urlsafe_b64encode(other).rstrip(b"=").decode()
    assert "is not one of the hub's key" in broken(orjson.dumps(document), by)


def test_a_signature_is_for_one_purpose(exported: tuple[bytes, Trust]) -> None:
    file, by = exported
    document = orjson.loads(file)
    document["signature"] = document["checkpoint"]["signature"]
    assert broken(orjson.dumps(document), by)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, each in inner for place in _places(each, (*path, name)))]


async def test_junk_in_any_place_is_refused_in_words(plain_world: EvidenceWorld) -> None:
    """No file makes the check fail otherwise than by saying what is broken."""
    case_id = plain_world.whole_life()
    with plain_world.desks() as desks:
        files = [await plain_world.export(desks, agency, case_id) for agency in (KOTIM, PLN)]
    by = plain_world.trust
    documents = [orjson.loads(file) for file in files]
    places = [_places(document)[1:] for document in documents]

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(data=st.data())
    def put(data: st.DataObject) -> None:
        which = data.draw(st.integers(0, 1))
        changed = copy.deepcopy(documents[which])
        *way, last = data.draw(st.sampled_from(places[which]))
        inner: Any = changed
        for step in way:
            inner = inner[step]
        junk = data.draw(JUNK)
        try:
            inner[last] = junk
            file = orjson.dumps(changed)
        except TypeError:  # no JSON can hold it
            return
        if file != files[which]:
            assert broken(file, by)

    put()
