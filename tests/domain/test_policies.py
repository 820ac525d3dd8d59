"""Which policy is in force for whom and when, and what cannot be a policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from hub.domain.policies import (
    ANY,
    CLASSIFICATIONS,
    DEFAULTS,
    MOST,
    STAGES,
    Policy,
    check_policies,
    companion_for,
    policy_for,
)
from hub.errors import Invalid
from schemas.registry import Registry

DAY = date(2025, 3, 14)
ROW = Policy("f-8", ANY, "follow_up", 8, "working_days", "2025-07-01", "Perbup 12/2025")


def refused(rows: list[Policy]) -> list[str]:
    with pytest.raises(Invalid) as invalid:
        check_policies(rows)
    return [pointer for pointer, _ in invalid.value.flaws]


@pytest.mark.parametrize(
    ("stage", "amount", "assumption"),
    [
        ("verification", 3, False),
        ("acceptance", 1, True),
        ("follow_up", 5, False),
        ("closure", 10, False),
        ("consultation", 3, True),
        ("reply", 10, True),
    ],
)
def test_the_defaults(stage: str, amount: int, assumption: bool) -> None:
    for classification in CLASSIFICATIONS:
        row = policy_for(DEFAULTS, classification, stage, DAY)
        assert row is not None
        assert (row.amount, row.unit, row.assumption, row.shown_only) == (
            amount,
            "working_days",
            assumption,
            False,
        )
        assert row.source
        assert ("assumption" in row.source) is assumption


def test_the_statutory_limit_stands_beside_the_follow_up() -> None:
    found = {name: companion_for(DEFAULTS, name, "follow_up", DAY) for name in CLASSIFICATIONS}
    amounts = {name: row and row.amount for name, row in found.items()}
    assert amounts == {"complaint": 14, "aspiration": None, "information_request": 5}
    assert all(row is None or (row.shown_only and "62/2018" in row.source) for row in found.values())
    assert all(companion_for(DEFAULTS, "complaint", s, DAY) is None for s in STAGES if s != "follow_up")


def test_the_latest_row_in_force_counts_from_its_day_on() -> None:
    rows = [ROW, *DEFAULTS]
    before, after = date(2025, 6, 30), date(2025, 7, 1)
    assert [
        row and row.id for row in (policy_for(rows, "complaint", "follow_up", d) for d in (before, after))
    ] == [
        "follow-up-5wd",
        "f-8",
    ]
    assert policy_for([ROW], "complaint", "follow_up", before) is None


def test_a_row_of_the_classification_goes_before_a_later_one_for_all() -> None:
    own = replace(ROW, id="own", classification="aspiration", valid_from="2024-01-01")
    rows = [*DEFAULTS, own, ROW]
    on = date(2025, 12, 1)
    assert policy_for(rows, "aspiration", "follow_up", on) is own
    assert policy_for(rows, "complaint", "follow_up", on) is ROW


def test_the_defaults_are_possible_and_their_words_are_the_schemas() -> None:
    check_policies(DEFAULTS)
    deadline = Registry.load().schema("deadline")
    definitions = Registry.load().schema("definitions")
    assert deadline["properties"]["stage"]["$ref"] == "/schemas/definitions/1.json#/$defs/stage"
    assert list(STAGES) == definitions["$defs"]["stage"]["enum"]
    assert list(CLASSIFICATIONS) == definitions["$defs"]["classification"]["enum"]
    assert {row.unit for row in DEFAULTS} <= set(MOST)


@pytest.mark.parametrize(
    ("pointer", "members"),
    [
        ("id", {"id": ""}),
        ("id", {"id": "a\nb"}),
        ("id", {"id": "x" * 129}),
        ("classification", {"classification": "keluhan"}),
        ("stage", {"stage": "disposisi"}),
        ("unit", {"unit": "weeks"}),
        ("amount", {"amount": 0}),
        ("amount", {"amount": -3}),
        ("amount", {"amount": MOST["working_days"] + 1}),
        ("amount", {"amount": True}),
        ("amount", {"amount": 1.5}),
        ("valid_from", {"valid_from": "2025-02-30"}),
        ("valid_from", {"valid_from": "1 Juli 2025"}),
        ("source", {"source": "  "}),
    ],
)
def test_an_impossible_row_is_refused_by_field(pointer: str, members: dict[str, object]) -> None:
    rows = [*DEFAULTS, replace(ROW, **members)]  # type: ignore[arg-type]
    assert refused(rows) == [f"/policies/{len(DEFAULTS)}/{pointer}"]


def test_the_bounds_themselves_are_possible() -> None:
    for unit, most in MOST.items():
        for amount in (1, most):
            check_policies([*DEFAULTS, replace(ROW, unit=unit, amount=amount)])


def test_two_rows_for_the_same_are_refused() -> None:
    last = len(DEFAULTS) + 1
    assert refused([*DEFAULTS, ROW, replace(ROW, id="f-9", amount=9)]) == [f"/policies/{last}/valid_from"]
    assert refused([*DEFAULTS, ROW, replace(ROW, valid_from="2026-01-01")]) == [f"/policies/{last}/id"]
    beside = replace(ROW, id="beside", shown_only=True)
    check_policies([*DEFAULTS, ROW, beside])


def test_no_stage_is_left_without_a_row_for_all() -> None:
    rows = [row for row in DEFAULTS if row.stage != "reply"]
    assert refused([*rows, replace(ROW, stage="reply", classification="complaint")]) == ["/policies"]
    assert refused([*rows, replace(ROW, stage="reply")]) == ["/policies"], "nor until a day that is to come"
    check_policies([*rows, replace(ROW, stage="reply", valid_from="1900-01-01")])


def test_a_row_as_json() -> None:
    assert Policy(**ROW.document()) == ROW
