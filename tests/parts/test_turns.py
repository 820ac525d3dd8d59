from __future__ import annotations

from itertools import pairwise

from tests.parts.turns import FIRST, in_turn

WAITS = [f"tests/connectors/test_{number}.py" for number in range(8)]
COMPUTES = [f"tests/store/test_{number}.py" for number in range(40)]


def test_what_is_named_comes_first_in_its_order() -> None:
    named = [f"{start}test_it.py" if start.endswith("/") else start for start in FIRST]
    assert in_turn([*COMPUTES, *reversed(named), *WAITS])[: len(FIRST)] == named


def test_files_of_one_folder_keep_their_order() -> None:
    order = in_turn([*WAITS, *COMPUTES])
    assert [file for file in order if file in WAITS] == WAITS
    assert [file for file in order if file in COMPUTES] == COMPUTES


def test_no_two_that_wait_follow_each_other_and_none_is_left_for_the_end() -> None:
    order = in_turn([*WAITS, *COMPUTES])
    turns = [order.index(file) for file in WAITS]
    assert all(after - before > 3 for before, after in pairwise(turns))
    assert turns[-1] < 0.8 * len(order)


def test_alone_either_kind_stays_as_it_is() -> None:
    assert in_turn(WAITS) == WAITS
    assert in_turn(COMPUTES) == COMPUTES
    assert in_turn([]) == []
