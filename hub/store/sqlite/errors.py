"""SQLite's errors as the hub's own; translated here once, at the edge."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import RowRefused, StoreUnavailable

REFUSED = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    UnicodeEncodeError,
    OverflowError,
)


@contextmanager
def translated() -> Iterator[None]:
    """RowRefused for what will never be taken, StoreUnavailable for a full, locked or read-only database."""
    try:
        yield
    except REFUSED as error:
        raise RowRefused(f"{type(error).__name__}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
