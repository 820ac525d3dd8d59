"""Taking destroyed rows off PostgreSQL's disk.

VACUUM alone does not do it: it frees a dead row's place in its page and leaves the bytes there until
something else is written over them. Only a rewrite of the table does, VACUUM FULL, during which nobody else
reads or writes it. So tables are rewritten while they are small enough for that to take a moment; the others
are vacuumed, and it is said that their bytes may remain."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from hub.errors import StoreUnavailable
from hub.ports.process_store import Purged
from hub.store.destroying import PURGE_DONE, PURGE_SINCE, PURGE_WAITS
from hub.store.postgres.connections import Connection, Limits

PURGER: Final = "simpul purger"
PURGING: Final = replace(Limits(), statement_ms=0, lock_ms=3_000)
TOUCHED: Final = ("stream_keys", "identities", "cases", "threads", "messages", "file_holders", "files")
"""What an erasure deletes from or writes anew; the keys first, without which the rest of the log is noise."""
REWRITTEN_BYTES: Final = 256 * 1024 * 1024
READERS_WAIT_S: Final = 1.0
SIZE: Final = "SELECT pg_total_relation_size(?::text::regclass)"
HORIZON: Final = "SELECT pg_current_xact_id()::text"
OLDER: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() "
    "AND (age(backend_xmin) >= age(?::text::xid) OR age(backend_xid) >= age(?::text::xid))"
)


def purge(connection: Connection) -> Purged | None:
    """None where nothing waits. StoreUnavailable while a transaction still reads what was destroyed."""
    waits = connection.execute(PURGE_SINCE, (PURGE_WAITS,)).fetchone()
    if waits is None:
        return None
    _wait_for_readers(connection)
    left = [table for table in TOUCHED if not _rewritten(connection, table)]
    connection.execute(PURGE_DONE, (PURGE_WAITS, waits[0]))
    if not left:
        return Purged()
    names = ", ".join(left)
    return Purged((f"dead rows' bytes in {names}, until their space is used again or VACUUM FULL is run",))


def _wait_for_readers(connection: Connection) -> None:
    """Rows that an open transaction may still see are kept by every kind of VACUUM."""
    horizon, until = connection.execute(HORIZON).fetchone()[0], time.monotonic() + READERS_WAIT_S
    while connection.execute(OLDER, (horizon, horizon)).fetchone()[0]:
        if time.monotonic() > until:
            raise StoreUnavailable("A transaction still reads what was erased; its bytes go later.")
        time.sleep(0.05)


def _rewritten(connection: Any, table: str) -> bool:
    size: int = connection.execute(SIZE, (table,)).fetchone()[0]
    whole = size <= REWRITTEN_BYTES
    connection.execute(f"VACUUM (FULL) {table}" if whole else f"VACUUM {table}")
    return whole
