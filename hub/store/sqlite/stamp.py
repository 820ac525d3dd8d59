"""A few bytes that all processes of one data folder map into memory: they change whenever the registry did.

Asking the database at every request whether anything changed costs a query, and the interpreter's lock with
it; comparing eight mapped bytes costs nothing. A hint only: whoever sees a new value asks the database, which
is asked once a second anyway, in case a process was killed between its commit and its stamp."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Final

SIZE: Final = 8


class Stamp:
    """The file beside the database; made 0600 by whoever comes first."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < SIZE:
                os.ftruncate(descriptor, SIZE)
            self._map = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)

    def read(self) -> bytes:
        return self._map[:SIZE]

    def renew(self) -> None:
        """After a commit that changed the registry."""
        self._map[:SIZE] = os.urandom(SIZE)

    def close(self) -> None:
        self._map.close()
