"""The sentences: the field, what was wrong, what would be right; and never what is personal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.flaw import Flaw, pointer_to
from schemas.registry import Registry

REGISTRY = Registry.load()
SECRETS = ["Rahmawati", "0812-0000", "siti.rahmawati", "62020141", "Baamang", "lubang sedalam", "kelurahan"]


def one(registry: Registry, document: Any, name: str = "complaint") -> Flaw:
    (flaw,) = registry.validate(name, document)
    return flaw


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("title", "j" * 240, "title is 240 characters long; at most 200 are allowed. Shorten it."),
        ("title", "", "title is 0 characters long; at least 1 must stand there. Fill it in."),
        (
            "channel",
            "facebook",
            'channel is "facebook"; it must be one of: web, mobile, sms, x, whatsapp, email, phone, letter, '
            "walk_in, other.",
        ),
        (
            "submitted_at",
            "2025-03-14T09:26:53",
            'submitted_at is "2025-03-14T09:26:53", which is not a valid date-time. Write a time with its '
            "offset (RFC 3339) such as 2025-03-14T09:26:53+07:00.",
        ),
        (
            "occurred_on",
            "0000-00-00",
            'occurred_on is "0000-00-00", which is not a valid date. '
            "Write a date (RFC 3339) such as 2025-03-14.",
        ),
        (
            "description",
            "jalan\x00rusak",
            "description holds the control character U+0000 (character 6 of 11); of these only line break "
            "and tab are allowed. Remove it.",
        ),
        (
            "confidential",
            "tidak",
            'confidential is "tidak"; it must be true or false. Write true keeps the content from the public '
            "(rahasia), false does not.",
        ),
        (
            "surprise",
            1,
            "surprise is not a field of this document. Remove it, or put it under extensions "
            '{"<your agency>": {...}}.',
        ),
        ("titel", "Jalan", "titel is not a field of this document. Did you mean title?"),
        ("tags", ["a"] * 21, "tags holds 21 entries; at most 20 are allowed. Send fewer."),
    ],
)
def test_a_sentence_says_field_fault_and_remedy(
    complaint: Any, field: str, value: Any, sentence: str
) -> None:
    complaint[field] = value
    assert one(REGISTRY, complaint).detail == sentence


def test_a_missing_member_is_named_by_its_own_pointer(complaint: Any) -> None:
    del complaint["source"]["reference"]
    assert one(REGISTRY, complaint) == Flaw(
        "/source/reference",
        "source.reference is missing. Add it: the source app's own number for the report, 1 to 128 "
        "characters on one line, not only of blanks.",
    )


def test_a_condition_asks_for_what_it_makes_necessary(registry: Registry) -> None:
    flaw = one(registry, {"decision": "reject"}, "verification")
    assert flaw.pointer == "/reason"
    assert "tells the reporter why" in flaw.detail


AGREEMENT = "true once the reporter's agreement is on record; without it the case cannot go to the Ombudsman."


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, f"reporter_agrees is missing. Add it: {AGREEMENT}"),
        ({"reporter_agrees": False}, f"reporter_agrees is false; it must be true. Write {AGREEMENT}"),
        ({"reporter_agrees": "ya"}, f'reporter_agrees is "ya"; it must be true. Write {AGREEMENT}'),
        ({"reporter_agrees": 1}, f"reporter_agrees is 1; it must be true. Write {AGREEMENT}"),
    ],
)
def test_without_the_reporters_agreement_nothing_goes_to_the_ombudsman(
    sent: dict[str, Any], sentence: str
) -> None:
    flaw = one(REGISTRY, {"reason": "Pelapor meminta bantuan Ombudsman.", **sent}, "escalation")
    assert flaw == Flaw("/reporter_agrees", sentence)


@pytest.mark.parametrize("day", ["07-01-2025", "2025-1-7", "2025-02-29", "7 Januari", "2025-01-07 "])
def test_a_day_off_that_is_no_date_is_named_by_its_own_pointer(day: str) -> None:
    """JSON Schema has no other place for a wrong name of a member than the member itself."""
    for name in ("agency-registration", "agency-change"):
        whole = REGISTRY.example(name) | {"days_off": {"2025-01-07": "Hari Jadi Kabupaten", day: "Pilkada"}}
        flaw = one(REGISTRY, whole, name)
        assert flaw.pointer == f"/days_off/{day}"
        assert flaw.detail.startswith(f"days_off.{day} cannot stand here. Write the agency's own days off")


@pytest.mark.parametrize("sent", [[], "x", None])
def test_no_object_at_all_is_told_in_one_sentence(sent: Any) -> None:
    assert one(REGISTRY, sent).detail.endswith("; it must be an object in braces.")


@pytest.mark.parametrize(
    ("name", "document", "words"),
    [
        ("forwarding-request", {"to": [{"agency": "kemenpu"}]}, "lead or support"),
        ("closure", {}, "resolved, no_reply, withdrawn_by_reporter, duplicate, archived or other"),
        ("return", {}, "not_ours, outside_region, needs_information, duplicate or other"),
        ("verification", {}, "accept, incomplete or reject."),
        (
            "link",
            {"case": "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11"},
            "how the cases belong together: duplicate",
        ),
    ],
)
def test_a_missing_code_names_its_possible_words(name: str, document: Any, words: str) -> None:
    assert f"is missing. Add it: {words}" in one(REGISTRY, document, name).detail


@pytest.mark.parametrize(
    "sent", ["2025-03-14 09:26:53", "14 Maret 2025 pukul 09.26 WIB", "14/03/2025", "14-Mar-25"]
)
def test_a_time_of_another_notation_is_repeated(complaint: Any, sent: str) -> None:
    detail = one(REGISTRY, {**complaint, "submitted_at": sent}).detail
    assert f'submitted_at is "{sent}", which is not a valid date-time. Write a time with its offset' in detail


@pytest.mark.parametrize("sent", ["Siti Rahmawati", "0812 3456 7890", "6202 0141 0789 0001", "14 Siti 2025"])
def test_what_is_no_time_is_not_repeated(complaint: Any, sent: str) -> None:
    assert sent not in one(REGISTRY, {**complaint, "submitted_at": sent}).detail


def test_pointers_escape_slash_and_tilde(complaint: Any) -> None:
    complaint["a/b~c"] = 1
    assert one(REGISTRY, complaint).pointer == "/a~1b~0c"
    assert pointer_to(("attachments", 0, "a/b")) == "/attachments/0/a~1b"


def test_a_name_that_is_too_long_or_no_text_is_cut_and_cleaned(complaint: Any) -> None:
    complaint["k" * 5000 + "\x1b"] = 1
    complaint["a\x1b[31m"] = 1
    for flaw in REGISTRY.validate("complaint", complaint):
        assert len(flaw.pointer) < 200
        assert len(flaw.detail) < 300
        assert "\x1b" not in flaw.detail


@given(st.data())
def test_personal_values_and_free_text_are_never_repeated(data: st.DataObject) -> None:
    """Whatever is wrong with a field that may hold personal values: they do not stand in the sentences."""
    secret = data.draw(st.sampled_from(["Siti-Rahmawati", "6202014107890001", "siti@surel.example", "0812"]))
    wrong = data.draw(
        st.sampled_from([f"{secret}\x00", [secret], {secret: secret}, {"x": secret}, "x" * 20_000 + secret])
    )
    complaint = REGISTRY.example("complaint")
    holder, field = data.draw(
        st.sampled_from(
            [("reporter", name) for name in ("name", "phone", "email", "national_id", "anonymous")]
            + [("location", "address"), ("location", "region"), ("source", "reference"), ("source", "url")]
            + [("", "title"), ("", "description"), ("", "reporter"), ("", "location"), ("", "channel")]
        )
    )
    (complaint[holder] if holder else complaint)[field] = wrong
    flaws = REGISTRY.validate("complaint", complaint)
    assert flaws
    for flaw in flaws:
        if secret in str(flaw.pointer):
            continue  # the sender's own name of an unknown member: a pointer has to name it
        assert secret not in flaw.detail, flaw


@pytest.mark.parametrize("field", ["name", "phone", "email", "national_id", "anonymous", "type", "category"])
def test_nothing_under_reporter_is_repeated_even_when_it_looks_like_a_code(
    complaint: Any, field: str
) -> None:
    complaint["reporter"][field] = 987654
    details = " ".join(flaw.detail for flaw in REGISTRY.validate("complaint", complaint))
    assert "987654" not in details
    assert not any(secret in details for secret in SECRETS)


def test_a_shifted_column_is_not_repeated(complaint: Any) -> None:
    """A wrong mapping puts free text or a NIK where a code belongs."""
    complaint["channel"] = "Lubang sedalam betis di depan rumah Ibu Siti"
    complaint["category"] = "6202014107890001"
    details = {flaw.pointer: flaw.detail for flaw in REGISTRY.validate("complaint", complaint)}
    assert "Lubang" not in details["/channel"]
    assert "6202014107890001" not in details["/category"]
