"""Five kills under load: the short form of `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import Plan, chaos

SHORT = Plan(kills=5, seed=7, between_s=(0.3, 1.2), most=3000, pause_s=0.01, get=300)


@pytest.mark.timeout(120)
def test_nothing_acknowledged_is_lost_by_five_kills(tmp_path: Path) -> None:
    report = chaos(tmp_path, SHORT)
    assert report.flaws == []
    assert report.kills == 5
    assert report.counts["complaints acknowledged"] > 50
    assert report.counts["acts acknowledged"] > 0
