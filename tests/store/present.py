"""A program for tests/store/test_presence.py: it has the store at its argument open until it is killed."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from hub.store.opening import open_store


def main(prog_name: str) -> None:
    place = sys.argv[1]
    store = open_store(
        place if place.startswith("postgresql:") else Path(place),
        lambda known: None,
        migrates=False,
        name="simpul import",
    )
    print("open", flush=True)
    signal.pause()
    store.close()
