"""Pauses between attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.pauses import pause_s


@given(st.integers(0, 10**6), st.floats(0.1, 3600.0), st.floats(0.01, 2.0))
def test_a_pause_doubles_up_to_its_cap_and_keeps_half_of_it_at_least(
    failures: int, cap_s: float, first_s: float
) -> None:
    whole_s = min(cap_s, first_s * 2.0 ** min(failures, 16))
    assert whole_s / 2 <= pause_s(failures, cap_s, first_s) <= whole_s


def test_those_that_failed_together_do_not_come_again_together() -> None:
    assert len({pause_s(3, 60.0, 1.0) for _ in range(20)}) > 1
