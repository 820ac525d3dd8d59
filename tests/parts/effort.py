"""How long the tests that try things at random go on: `SIMPUL_TEST_EFFORT=10 make test` tries ten times as
much. The usual amount keeps the whole run short; whoever changes what such a test covers lets it try more."""

from __future__ import annotations

import os
from typing import Final

EFFORT: Final = float(os.environ.get("SIMPUL_TEST_EFFORT", "1"))


def examples(usual: int) -> int:
    """So many in the usual run."""
    return max(1, round(usual * EFFORT))
