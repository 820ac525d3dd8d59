"""Connections to PostgreSQL: settings, time limits, and the driver's classes taking the neutral SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import psycopg
from psycopg import conninfo
from psycopg.errors import Diagnostic
from psycopg.pq import Format, TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

from hub.store.postgres.arrays import register
from hub.store.postgres.errors import translated

WRITER: Final = "simpul writer"
READER: Final = "simpul reader"
LISTENER: Final = "simpul listener"
"""`application_name` of each kind, as operators see it in pg_stat_activity."""


LOOK_UPS: Final = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""For the writer, whose statements all look up some rows by their keys. A planner that knows nothing yet of
fresh tables, or made its plan when they were empty, would go through all of a table, once or for each key."""
READINGS: Final = {"plan_cache_mode": "force_custom_plan"}
"""For readers, whose statements differ more: each is planned for the tables and values as they are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long anything may take. A process that was stopped in the middle of a transaction (SIGSTOP, a
    swapped machine) loses it after `idle_in_transaction_ms`, which is less than others wait for its locks."""

    connect_s: int = 3
    idle_in_transaction_ms: int = 5_000
    lock_ms: int = 10_000
    statement_ms: int = 30_000
    reader_idle_ms: int = 60_000
    unanswered_ms: int = 10_000
    """Sent bytes that nobody acknowledges: a cut network, a dead machine."""
    outcome_s: float = 30.0
    """How long the outcome of a commit is asked for before it is called unknown."""


@lru_cache(maxsize=1024)
def numbered(statement: str) -> str:
    """`?` -> `$1`, `$2`, ... Our statements hold no question marks but parameters."""
    count = iter(range(1, statement.count("?") + 1))
    return re.sub(r"\?", lambda _: f"${next(count)}", statement)


class Cursor(psycopg.RawCursor[tuple[Any, ...]]):
    """Takes `?`, gives binary results: bytes come as they are, not as twice as many hex digits."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.format = Format.BINARY

    def execute(self, query: Any, params: Any = None, **options: Any) -> Cursor:
        super().execute(numbered(query), params or None, **options)
        return self

    def last_of(self, statements: str) -> tuple[Any, ...]:
        """The row of the last of several statements without parameters, in one round trip. Each of them sees
        what was committed when it began."""
        self.format = Format.TEXT
        super().execute(statements)
        while self.nextset():
            pass
        row = self.fetchone()
        if row is None:
            raise psycopg.DataError("the last statement gave no row")
        return row

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        super().executemany(numbered(query), params_seq, **options)


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """In autocommit mode; transactions are begun and ended by statements of ours.

    A pipeline of the driver's ends with a Flush, at which the server stops counting the idle time of the open
    transaction: only what ends the transaction itself may go in one."""

    registry_changed = False
    unreplicated = False
    """Whether a commit stopped waiting for a synchronous standby: the server then says that it is done, and
    has only warned before. To be put back before the next one."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        return self.cursor().execute(query, params)

    def warned(self, warning: Diagnostic) -> None:
        """The server's code names the place in any language; its number is that of any warning."""
        if warning.source_function == "SyncRepWaitForLSN":
            self.unreplicated = True

    def walk(self, query: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a SELECT without parameters from a cursor on the server, some at a time."""
        with self.cursor(name="walk", binary=True) as cursor:
            cursor.itersize = 2000
            yield from cursor.execute(query)

    def end(self) -> None:
        """Ends the transaction, if one is open, without committing. One that failed takes the connection with
        it: the driver counts a statement as prepared even where the pipeline in which the server was to parse
        it broke off before it, and would then name it to the server for as long as the connection lives."""
        if self.info.transaction_status == TransactionStatus.INERROR:
            self.close()
        elif self.in_transaction:
            self.execute("ROLLBACK")

    @property
    def in_transaction(self) -> bool:
        return self.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    def is_alive(self) -> bool:
        """False once the server hung up; a look at the socket's buffer, no round trip."""
        if self.closed:
            return False
        try:
            self.pgconn.consume_input()  # its farewell, if there is one
            self.pgconn.consume_input()  # the end
        except psycopg.OperationalError:
            return False
        return not self.broken


def connector(url: str, limits: Limits) -> Callable[[str], Connection]:
    """A function that connects under an application name. `url` may name several hosts; whichever of them
    takes writes now is connected to. Raises StoreUnavailable."""
    return partial(_connect, url, limits)


def plainly(url: str, limits: Limits) -> Callable[[], psycopg.Connection[Any]]:
    """A function that connects for SQLAlchemy: the driver's own class, our settings."""
    return lambda: psycopg.connect("", **_parameters(url, limits, WRITER))


def _connect(url: str, limits: Limits, name: str) -> Connection:
    with translated():
        parameters = _parameters(url, limits, name)
        connection = Connection.connect("", autocommit=True, cursor_factory=Cursor, **parameters)
    connection.add_notice_handler(connection.warned)
    connection.prepare_threshold = 1
    connection.prepared_max = 400
    connection.adapters.register_dumper(int, Int8BinaryDumper)  # one type, so one prepared statement
    register(connection.adapters)
    return connection


def _parameters(url: str, limits: Limits, name: str) -> dict[str, Any]:
    idle = limits.reader_idle_ms if name == READER else limits.idle_in_transaction_ms
    settings = {
        "synchronous_commit": "on",
        "idle_in_transaction_session_timeout": idle,
        "lock_timeout": limits.lock_ms,
        "statement_timeout": limits.statement_ms,
        "jit": "off",
        **(LOOK_UPS if name == WRITER else READINGS),
    }
    options = " ".join(f"-c {key}={value}" for key, value in settings.items())
    given: dict[str, Any] = conninfo.conninfo_to_dict(url)
    given.setdefault("connect_timeout", limits.connect_s)
    return given | {
        "application_name": name,
        "target_session_attrs": "read-write",
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": limits.unanswered_ms,
        "client_encoding": "utf8",
        "options": f"{given.get('options') or ''} {options}".strip(),
    }
