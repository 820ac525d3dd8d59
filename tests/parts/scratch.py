"""Where tests keep their folders: in memory where there is room. A copy of a PostgreSQL database costs a
quarter of what it does on a disk, and thousands of them are made."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import psutil

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 * 2**30
"""Free bytes there, and as much again of memory beside it; a whole run needs about one of the four."""


def in_memory() -> None:
    """For this process and all that it starts. TMPDIR, where it is set, says where instead."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available - ROOM) > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
