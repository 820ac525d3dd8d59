"""How long whatever failed waits before it is tried again."""

from __future__ import annotations

import random


def pause_s(failures: int, cap_s: float, first_s: float) -> float:
    """Doubled with each of the `failures` before this one, at most `cap_s`; with jitter, so that not all that
    failed together come again together."""
    return min(cap_s, first_s * 2.0 ** min(failures, 16)) * random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
