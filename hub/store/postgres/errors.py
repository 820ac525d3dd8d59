"""PostgreSQL's errors as the hub's own; translated here once, at the edge.

Only the first line of the server's message is kept: its DETAIL repeats the row."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors

from hub.errors import Overtaken, RowRefused, StoreError, StoreUnavailable

OVERTAKEN: Final = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure)
POOLED: Final = (errors.DuplicatePreparedStatement, errors.InvalidSqlStatementName)
"""Another client's statements are in our session, or ours are in another's."""
POOLER: Final = (
    "A pooler shares one connection to PostgreSQL among several, but the hub needs sessions of its own: have "
    "its database_url lead to PostgreSQL itself, or the pooler work in session mode."
)
AWAY: Final = (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege)
"""The server answers, but has no tables for us, or not the rights."""
REFUSED: Final = (
    psycopg.IntegrityError,
    psycopg.DataError,
    psycopg.ProgrammingError,
    psycopg.NotSupportedError,
    UnicodeEncodeError,
    OverflowError,
    struct.error,
)


@contextmanager
def translated() -> Iterator[None]:
    """Overtaken for what may succeed when it is run again, RowRefused for what will never be taken,
    StoreUnavailable for a server that is away, full, read-only or too slow; StoreError where a pooler is in
    the way, which no other try and no other row would help."""
    try:
        yield
    except OVERTAKEN as error:
        raise Overtaken(sentence(error)) from error
    except POOLED as error:
        raise StoreError(POOLER) from error
    except AWAY as error:
        raise StoreUnavailable(sentence(error)) from error
    except REFUSED as error:
        raise RowRefused(sentence(error)) from error
    except psycopg.Error as error:
        raise StoreUnavailable(sentence(error)) from error


def sentence(error: BaseException) -> str:
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__}: {said or error}".strip()
