"""The short form of `make fuzz`: always the same seed, so that a failure shows again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.by_schema import shorter
from tests.fuzz.target import target

SECONDS, EXAMPLES, SEED = 8.0, 1, 2025


@pytest.mark.timeout(120)
def test_no_answer_is_a_5xx_or_undocumented(tmp_path: Path) -> None:
    with target(tmp_path / "hub") as found:
        failures = fuzz(found, SECONDS, EXAMPLES, SEED, tmp_path / "kept")
    assert not failures, "\n\n".join(shorter(failure) for failure in failures[:5])
