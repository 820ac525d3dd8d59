"""The commands. Each is short and leaves little garbage: with rarer collections its imports alone take a
fifth less processor time. When the process ends nothing is gathered at all: the interpreter's last
collections would walk through everything that was loaded, for another sixth."""

from __future__ import annotations

import atexit
import gc

gc.set_threshold(20_000, 20, 50)
atexit.register(gc.freeze)
