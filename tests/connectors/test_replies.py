"""The form of a reply: what is refused with its reason, and the key under which it is sent once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channel import path_of
from connectors.errors import HubRefused
from connectors.replies import ID_LIMIT, Reply, ReplyRefused, read_reply

LEG = "0198f3c2-7d4e-7a51-9b0c-3e5d8f1a2b6c"
HUB_TAKES = re.compile(r"[\x21-\x7e]{1,255}")


def reply(**changes: Any) -> Reply:
    raw = {"id": "12", "action": "answer", "forwarding_id": LEG, "text": "Sudah ditambal."}
    return read_reply(raw | changes, "http-")


@pytest.mark.parametrize(
    "good", ["12", "jawaban/2026-001", "x" * ID_LIMIT, "a<b>'\"", 7], ids=lambda value: str(value)[:12]
)
def test_an_id_that_the_hub_takes_is_its_key_as_ever(good: str | int) -> None:
    assert reply(id=good).key() == f"reply-http-{good}"


@given(st.text(min_size=1, max_size=ID_LIMIT))
def test_every_id_that_is_taken_has_a_key_that_the_hub_takes(text: str) -> None:
    try:
        made = reply(id=text)
    except ReplyRefused as refused:
        assert str(refused).startswith("id: ")
    else:
        assert HUB_TAKES.fullmatch(made.key())
        assert made.id == f"http-{text}"


def test_ids_with_blanks_and_letters_of_any_script_have_keys_of_their_own() -> None:
    ids = ["jawaban 12", "jawaban  12", "jawaban-é", "jawaban-è", "回复"]
    assert len({reply(id=one).key() for one in ids}) == len(ids)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "a\nb"}, "id: holds a line break"),
        ({"id": "a\x00b"}, "id: holds a line break or another control character"),
        ({"id": " a"}, "id: begins or ends with a blank"),
        ({"id": "x" * 100_000}, "id: has 100000 characters; 240 are the most"),
        ({"id": True}, "id: must be a text"),
        ({"id": {"a": 1}}, "id: must be a text"),
        ({"id": ["a"]}, "id: must be a text"),
        ({"id": None}, "id: is missing"),
        ({"id": "  "}, "id: is missing"),
        ({"text": {"a": 1}}, "text: must be a text"),
        ({"forwarding_id": "../webhook/secret#"}, "forwarding_id: is no UUID"),
        ({"forwarding_id": f"{LEG}/acceptance?x="}, "forwarding_id: is no UUID"),
        ({"forwarding_id": f"{LEG}\n"[1:]}, "forwarding_id: is no UUID"),
        ({"forwarding_id": 7}, "forwarding_id: is no UUID"),
        ({"case_id": "../agencies"}, "case_id: is no UUID"),
        ({"forwarding_id": None}, "forwarding_id: is missing"),
        ({"action": "verdict"}, "consultation_id: is missing"),
        (
            {"action": "verdict", "consultation_id": "../agencies", "verdict": "ours"},
            "consultation_id: is no",
        ),
        ({"action": "verdict", "consultation_id": LEG, "verdict": "bukan"}, "verdict: must be one of ours"),
        ({"action": "reconsider", "text": ""}, "text: say why"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_no_hub_would_take_is_refused_with_its_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ReplyRefused) as refused:
        reply(**changes)
    assert str(refused.value).startswith(words)


def test_a_verdict_is_what_the_hub_takes() -> None:
    made = reply(
        action="verdict", consultation_id=LEG, verdict="not_ours", text="", suggested_agency="kemenpu"
    )
    assert made.body() == {"verdict": "not_ours", "suggested_agency": "kemenpu"}
    assert reply(action="reconsider", text="Ini jalan provinsi.").body() == {"reason": "Ini jalan provinsi."}


def test_a_part_of_a_path_stays_one_part() -> None:
    assert path_of("cases", "../webhook/secret#?x") == "/v1/cases/..%2Fwebhook%2Fsecret%23%3Fx"
    for part in ("", ".", ".."):
        with pytest.raises(HubRefused):
            path_of("cases", part)
