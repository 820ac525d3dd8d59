"""Coordination threads: event types, limits, officers' names, texts that only an erasure removes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from schemas.flaw import Flaw
from schemas.registry import Registry

REGISTRY = Registry.load()
EVENTS = [
    "thread.commitment_changed",
    "thread.commitment_fulfilled",
    "thread.commitment_made",
    "thread.commitment_missed",
    "thread.concluded",
    "thread.message_edited",
    "thread.message_posted",
    "thread.message_withdrawn",
    "thread.opened",
    "thread.participant_added",
    "thread.participant_left",
    "thread.reopened",
]
TEXTS = frozenset({"text", "subject", "reason"})
CASE = "0197f0a1-3c52-7d18-9e40-2b7a61c0d8{:02x}"


def pointers(name: str, document: Any) -> list[str]:
    return [flaw.pointer for flaw in REGISTRY.validate(name, document)]


def test_every_event_of_a_thread_has_its_schema_and_may_be_withheld() -> None:
    assert [name for name, _ in REGISTRY.names() if name.startswith("thread.")] == EVENTS
    for name in EVENTS:
        assert pointers(name, {"withheld": True}) == []
        assert pointers(name, {"withheld": False}) == ["/withheld"]


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("member", ["thread_id", "cases", "status", "version", "agency"])
def test_every_event_says_which_thread_and_cases(name: str, member: str) -> None:
    document = copy.deepcopy(REGISTRY.example(name))
    del document[member]
    assert pointers(name, document) == [f"/{member}"]


def places_of_texts(node: Any, path: str = "") -> list[str]:
    """The pointers of a document's free texts."""
    if not isinstance(node, dict | list):
        return [path] if path.rpartition("/")[2] in TEXTS else []
    members = node.items() if isinstance(node, dict) else enumerate(node)
    return [found for key, value in members for found in places_of_texts(value, f"{path}/{key}")]


def without(document: Any, pointer: str) -> Any:
    made = node = copy.deepcopy(document)
    *up, last = pointer.split("/")[1:]
    for part in up:
        node = node[int(part) if isinstance(node, list) else part]
    del node[last]
    return made


@pytest.mark.parametrize("name", ["thread", "message", "commitment", *EVENTS])
def test_a_text_is_missing_only_where_it_was_erased(name: str) -> None:
    document = REGISTRY.example(name)
    for pointer in places_of_texts(document):
        spoilt = without(document, pointer)
        assert pointers(name, spoilt) == [pointer]
        assert pointers(name, spoilt | {"erased": True}) == []
        assert pointers(name, spoilt | {"erased": False}) == [pointer]


def test_texts_are_found_where_they_stand() -> None:
    """The test above looks at something."""
    assert places_of_texts(REGISTRY.example("thread.reopened")) == []
    assert places_of_texts(REGISTRY.example("thread.commitment_changed")) == [
        "/commitment/text",
        "/commitment/changes/0/reason",
    ]


@pytest.mark.parametrize(
    ("name", "field", "longest"),
    [
        ("thread-request", "subject", 200),
        ("message-request", "text", 20_000),
        ("message-request", "officer", 200),
        ("message-change", "text", 20_000),
        ("commitment-request", "text", 2_000),
        ("commitment-request", "officer", 200),
        ("commitment-change", "reason", 2_000),
        ("fulfilment", "text", 2_000),
        ("conclusion", "text", 20_000),
    ],
)
def test_texts_of_a_thread_may_be_so_long(name: str, field: str, longest: int) -> None:
    document = REGISTRY.example(name)
    assert pointers(name, document | {field: "é" * longest}) == []
    assert pointers(name, document | {field: "é" * (longest + 1)}) == [f"/{field}"]
    for spoilt in ("", "air\x00naik", " \u200b "):
        assert pointers(name, document | {field: spoilt}) == [f"/{field}"]


@pytest.mark.parametrize(
    ("name", "field", "entry", "most"),
    [
        ("thread-request", "cases", CASE, 20),
        ("thread-request", "participants", "desa-{}", 50),
        ("message-request", "cases", CASE, 20),
        ("message-request", "mentions", "desa-{}", 20),
        ("participant-request", "officers", "Petugas piket {}", 20),
    ],
)
def test_lists_of_a_thread_may_hold_so_many(name: str, field: str, entry: str, most: int) -> None:
    document = REGISTRY.example(name)
    entries = [entry.format(number) for number in range(most + 1)]
    assert pointers(name, document | {field: entries[:most]}) == []
    assert pointers(name, document | {field: entries}) == [f"/{field}"]


@pytest.mark.parametrize("field", ["cases", "participants"])
def test_what_is_named_twice_is_told_so(field: str) -> None:
    document = copy.deepcopy(REGISTRY.example("thread-request"))
    document[field] *= 2
    sentence = f"{field} names something more than once. Name each once."
    assert REGISTRY.validate("thread-request", document) == [Flaw(f"/{field}", sentence)]


def test_a_mention_is_the_id_of_an_agency_or_of_an_officer() -> None:
    document = REGISTRY.example("message-request")
    for mention in ("dinas-pupr-seruyan", "0197e5c2-44d0-7f6a-b1e9-3c8d2a70f511"):
        assert pointers("message-request", document | {"mentions": [mention]}) == []
    for wrong in ("@dinas-pupr-seruyan", "Yulianti", "", "0197E5C2-44D0-7F6A-B1E9-3C8D2A70F511", 7):
        assert pointers("message-request", document | {"mentions": [wrong]}) == ["/mentions/0"]


HIDDEN = "\u061c\u200b\u200e\u200f\u2028\u202a\u202e\u2060\u2066\u2069\ufeff"


@pytest.mark.parametrize("mark", HIDDEN, ids=[f"U+{ord(mark):04X}" for mark in HIDDEN])
def test_no_invisible_character_stands_in_an_officers_name(mark: str) -> None:
    """Else one name is shown as another: right-to-left and zero-width tricks."""
    (flaw,) = REGISTRY.validate(
        "message-request", {"text": "Air surut.", "scope": "agencies", "officer": f"Budi{mark}yanto"}
    )
    assert flaw.pointer == "/officer"
    assert flaw.detail == (
        "officer does not have the right form. Write the name of the officer, 1 to 200 characters on one "
        "line, not only of blanks, without invisible characters."
    )
    document = REGISTRY.example("participant-request") | {"officers": ["Budi", f"Su{mark}santo"]}
    assert pointers("participant-request", document) == ["/officers/1"]


@pytest.mark.parametrize("name", ["Nurul Hidayah, S.T., M.Si.", "I Gusti Ngurah Ké", "ꦱꦸꦠꦩ", "王小明"])
def test_officers_have_names_in_any_script(name: str) -> None:
    document = REGISTRY.example("commitment-request")
    assert pointers("commitment-request", document | {"officer": name}) == []


@pytest.mark.parametrize(
    ("name", "document", "sentence"),
    [
        (
            "commitment-request",
            {"agency": "dinas-pupr-seruyan", "text": "Menutup tanggul.", "due_on": "21/03/2025"},
            'due_on is "21/03/2025", which is not a valid date. Write a date (RFC 3339) such as 2025-03-14.',
        ),
        (
            "message-request",
            {"text": "Air surut.", "scope": "public"},
            'scope is "public"; it must be one of: internal, agencies, reporter.',
        ),
        (
            "participant-request",
            {"agency": "desa-tanjung-rengas", "history": "none"},
            'history is "none"; it must be one of: all, from_now.',
        ),
        (
            "message-request",
            {"text": "Air surut."},
            "scope is missing. Add it: who reads the message: internal (your own agency alone), agencies "
            "(all who take part) or reporter (the reporter too, through the source app).",
        ),
    ],
)
def test_a_threads_codes_and_dates_are_repeated(name: str, document: Any, sentence: str) -> None:
    assert [flaw.detail for flaw in REGISTRY.validate(name, document)] == [sentence]


def test_words_of_a_thread_are_never_repeated() -> None:
    secret = "Siti\x00Rahmawati"
    for name, field in (("message-request", "text"), ("fulfilment", "text"), ("thread-request", "subject")):
        (flaw,) = REGISTRY.validate(name, REGISTRY.example(name) | {field: secret})
        assert "Siti" not in flaw.detail


def test_a_case_names_its_threads_and_what_is_still_owed() -> None:
    case = REGISTRY.example("case")
    owed = REGISTRY.example("commitment")
    thread = {"id": owed["thread_id"], "subject": "Banjir Sungai Rengas", "status": "open"}
    assert pointers("case", case | {"threads": [thread], "commitments": [owed]}) == []
    assert pointers("case", case | {"threads": [{"id": thread["id"], "status": "concluded"}]}) == []
    assert pointers("case", case | {"threads": [{"id": thread["id"]}]}) == ["/threads/0/status"]
    bare = without(owed, "/text")
    assert pointers("case", case | {"commitments": [bare]}) == ["/commitments/0/text"]
    assert pointers("case", case | {"commitments": [bare | {"erased": True}]}) == []
    assert pointers("case", case | {"commitments": [bare], "erased": True}) == []


def test_a_flaw_far_down_a_list_without_a_limit_is_found() -> None:
    commitment = REGISTRY.example("commitment")
    changes = commitment["changes"] * 40
    spoilt = commitment | {"changes": [*changes[:30], {}, *changes]}
    places = [f"/changes/30/{name}" for name in ("agency", "changed_at", "due_on", "reason")]
    assert sorted(pointers("commitment", spoilt)) == places
