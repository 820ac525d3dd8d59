"""The commands. Each is short and leaves little garbage: with rarer collections its imports alone take a
fifth less processor time."""

from __future__ import annotations

import gc

gc.set_threshold(20_000, 20, 50)
