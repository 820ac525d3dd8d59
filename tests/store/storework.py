"""Effects made by hand, so that a store is tested without the service; and the backends that are tested."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from hub.domain.agency import Agency
from hub.domain.case import Case, CaseState, Leg
from hub.domain.case_texts import CaseTexts
from hub.domain.clocks import Clock
from hub.domain.dated_facts import DatedFact
from hub.domain.events import NO_CHAIN, Fact, Recorded
from hub.ports.effects import (
    Effects,
    Identity,
    MailboxEntry,
    Reference,
    Remembered,
    Wanted,
)
from hub.ports.sealing import WrappedKey
from hub.store.migrate import migrate
from hub.store.postgres.connections import Limits
from hub.store.postgres.store import PostgresStore
from hub.store.registry import RegistryTables
from hub.store.sqlite.store import SqliteStore
from tests.parts.postgres import drop_database

ROOT = Path(__file__).parents[2]
WHEN = "2025-03-14T02:00:00.000Z"


@dataclass
class SqliteBackend:
    """A database of its own. A further engine brings a class with the same members."""

    path: Path
    template: Path
    name: ClassVar[str] = "sqlite"
    opened: list[SqliteStore] = field(default_factory=list)

    def open(self) -> SqliteStore:
        if not self.path.exists():
            shutil.copy(self.template, self.path)
        self.opened.append(SqliteStore(self.path))
        return self.opened[-1]

    def registry(self, store: SqliteStore) -> RegistryTables:
        return RegistryTables(store)

    def run(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Another process with `store` open on the same database; its output is read by the test."""
        return child(
            "from hub.store.sqlite.store import SqliteStore\nstore = SqliteStore(Path(sys.argv[1]))\n",
            script,
            str(self.path),
            *arguments,
        )

    @contextmanager
    def full(self, store: SqliteStore) -> Iterator[None]:
        """The disk has no room left: SQLite's own SQLITE_FULL, at its present size."""
        self._limit(store, 1)  # never less than what is there already
        try:
            yield
        finally:
            self._limit(store, 1 << 30)

    def _limit(self, store: SqliteStore, pages: int) -> None:
        with store.write() as connection:
            connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    def close(self) -> None:
        for store in self.opened:
            store.close()


FULL = (
    "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' "
    "USING ERRCODE = 'disk_full'; END $$"
)


@dataclass
class PostgresBackend:
    """A database of its own on the shared server."""

    url: str
    name: ClassVar[str] = "postgres"
    limits: Limits = field(default_factory=Limits)
    opened: list[PostgresStore] = field(default_factory=list)

    def open(self, limits: Limits | None = None) -> PostgresStore:
        self.opened.append(PostgresStore(self.url, limits=limits or self.limits))
        return self.opened[-1]

    def registry(self, store: PostgresStore) -> RegistryTables:
        return RegistryTables(store)

    def run(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        return child(
            "from hub.store.postgres.store import PostgresStore\nstore = PostgresStore(sys.argv[1])\n",
            script,
            self.url,
            *arguments,
        )

    @contextmanager
    def full(self, store: PostgresStore) -> Iterator[None]:
        """The server takes no row of the log, with the error that it gives for a full disk; whatever
        connection the row comes by."""
        with psycopg.connect(self.url, autocommit=True) as operator:
            operator.execute(FULL)
            operator.execute("CREATE TRIGGER full_disk BEFORE INSERT ON log EXECUTE FUNCTION full_disk()")
            try:
                yield
            finally:
                operator.execute("DROP TRIGGER full_disk ON log")

    def close(self) -> None:
        for store in self.opened:
            store.close()
        drop_database(self.url)


Backend = SqliteBackend | PostgresBackend


def child(opening: str, script: str, *arguments: str) -> subprocess.Popen[str]:
    head = f"import sys\nfrom pathlib import Path\nfrom tests.store.storework import *\n{opening}"
    command = [sys.executable, "-c", head + script, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def make_template(path: Path) -> Path:
    migrate(path)
    return path


def event(
    position: int, stream: str, sequence: int, recipients: tuple[str, ...] = (), size: int = 0
) -> Recorded:
    fact = Fact(
        f"event-{position}",
        "complaint.verified",
        WHEN,
        stream,
        sequence,
        "a",
        dict.fromkeys(recipients, "x"),
        {},
    )
    return Recorded(position, stream, sequence, fact.id, fact.to_bytes(), b"s" * size or None, NO_CHAIN)


def append(store: Any, stream: str, agencies: tuple[str, ...] = ("kotim",), size: int = 0) -> int:
    """One event at the end of the log and of each agency's mailbox, committed; its position."""
    with store.begin() as txn:
        head = txn.look_up(Wanted(heads=[stream])).heads.get(stream)
        position = txn.tail() + 1
        heads = txn.mailbox_heads(sorted(agencies))
        made = event(position, stream, (head.sequence if head else 0) + 1, agencies, size)
        mail = [MailboxEntry(agency, heads.get(agency, 0) + 1, position) for agency in sorted(agencies)]
        txn.write(Effects(events=[made], mailbox=mail))
        txn.commit()
    return int(position)


def case(number: int, **changes: Any) -> Case:
    """A submitted case of `kotim` with a title of its own."""
    case_id = f"0195a1b2-0000-7000-8000-{number:012x}"
    given: dict[str, Any] = {
        "id": case_id,
        "tracking_number": f"AAAA-BBBB-{number:04d}",
        "status": "submitted",
        "version": 1,
        "owner": "kotim",
        "source": "kotim",
        "reference": f"PGD-{number}",
        "content_digest": "ab" * 32,
        "complaint": {"category": "road", "location": {"region": "62.02"}},
        "anonymous": False,
        "confidential": False,
        "created_at": WHEN,
        "updated_at": WHEN,
    }
    texts = changes.pop("texts", {"title": f"Laporan {number}", "description": "Jalan rusak."})
    return Case(CaseState(**(given | changes)), CaseTexts(complaint=texts))


def clock(state: str = "running", wakes_at: str = WHEN, **changes: Any) -> Clock:
    """The owner's clock, which warns at `wakes_at`."""
    given: dict[str, Any] = {
        "id": "k",
        "stage": "verification",
        "subject": "case",
        "agency": "kotim",
        "policy": "verification-3wd",
        "amount": 3,
        "unit": "working_days",
        "calendar": "0123456789abcdef",
        "started_at": "2025-03-01T02:00:00.000Z",
        "due_at": "2025-12-31T09:00:00.000Z",
        "warns_at": wakes_at,
        "state": state,
    }
    return Clock(**(given | changes))


def everything(number: int = 1) -> Effects:
    """One of each kind of row."""
    made = case(number)
    stream = made.state.id
    leg = Leg(f"leg-{number}", "kotim", "pupr", "lead", "sent", WHEN, WHEN)
    state = case(number, legs=(leg,), status="forwarded").state
    return Effects(
        keys=[WrappedKey(stream, 1, b"k" * 60)],
        events=[event(number, stream, 1, ("kotim",))],
        mailbox=[MailboxEntry("kotim", number, number)],
        new_cases=[Case(state, made.texts)],
        references=[Reference("kotim", f"PGD-{number}", stream, WHEN)],
        identities=[Identity(stream, b"identity")],
        remembered=[Remembered(f"key-{number}".encode(), b"body", 201, "case", (stream,), WHEN)],
        agencies=[Agency(f"dinas-{number}", "Dinas", "unit")],
        dated_facts=[DatedFact("policies", "hub", number, b"[]")],
    )


def write(store: Any, effects: Effects) -> None:
    with store.begin() as txn:
        txn.write(effects)
        txn.commit()


def is_empty(store: Any) -> bool:
    """Nothing of `everything(1)` is there."""
    made = everything(1)
    stream = made.keys[0].stream
    with store.read() as session:
        return (
            session.last_position() == 0
            and session.case(stream) is None
            and session.case_of_leg("leg-1") is None
            and session.reference("kotim", "PGD-1") is None
            and session.identities([stream]) == {}
            and session.keys([stream]) == {}
            and session.remembered(b"key-1") is None
            and session.mailbox_state("kotim").head == 0
            and session.mailbox("kotim", 0, 9) == []
            and session.agencies() == []
            and RegistryTables(store).dated_facts() == []
        )
