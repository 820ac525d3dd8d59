"""A hub without its web server: real database, real seals, a clock to turn, agencies with a client each."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auth.principal import Principal
from auth.scopes import DEFAULT_SCOPES
from hub.app_core import Core, open_core
from hub.bus.embedded import EmbeddedBus
from hub.domain.agency import Agency
from hub.domain.commands import Accept, Answer, Close, Forward, Progress, Recipient, Reopen, Return, Verify
from hub.ports.registry import ClientRow
from hub.ports.store import ReadSession, WriteTransaction
from hub.service.hub import Hub
from hub.service.ids import Ids
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.mailboxes import Mailboxes
from hub.service.readers import Readers
from hub.service.rebuild import Rebuilder, verify_chains
from hub.service.requests import Idempotency, Outcome, RegisterAgency, Request
from hub.service.writer import Writer
from hub.settings import Settings
from hub.store.rebuilding import check_rebuild
from hub.store.thread_reading import ReadMarkTable

KOTIM, MEDAN, PUPR, PLN, STRANGER = "pemkab-kotim", "pemko-medan", "kemen-pupr", "pln-kalteng", "bpjs"
AGENCIES = (
    Agency(KOTIM, "Pemerintah Kabupaten Kotawaringin Timur", "regency", region="62.02"),
    Agency(MEDAN, "Pemerintah Kota Medan", "city", region="12.71"),
    Agency(PUPR, "Kementerian Pekerjaan Umum", "ministry"),
    Agency(PLN, "PLN Wilayah Kalimantan Tengah", "agency"),
    Agency(STRANGER, "BPJS Kesehatan", "agency"),
)
START = datetime(2025, 3, 14, 2, 0, tzinfo=UTC)
REPORTER = {
    "name": "Marlina Tundan",
    "phone": "081250000431",
    "email": "marlina.tundan@surel.example",
    "national_id": "6202014107890001",
    "anonymous": False,
}


@dataclass
class TurnedClock:
    moment: datetime = START
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def turn(self, **span: float) -> None:
        self.moment += timedelta(**span)


def client_of(agency: str) -> str:
    return f"client_{agency}"


def principal(agency: str, scopes: frozenset[str] = DEFAULT_SCOPES) -> Principal:
    return Principal(client_of(agency), agency, scopes, "token", 2e9)


def complaint(reference: str = "PGD-1", agency: str = KOTIM, **changes: Any) -> dict[str, Any]:
    return {
        "source": {"agency": agency, "reference": reference},
        "classification": "complaint",
        "title": "Lampu jalan padam di Jalan Tjilik Riwut",
        "description": "Sudah tiga malam gelap, mohon segera diperbaiki.",
        "category": "road",
        "submitted_at": "2025-03-13T09:26:53+07:00",
        "channel": "web",
        "location": {"region": "62.02"},
        "reporter": dict(REPORTER),
    } | changes


def make_folder(folder: Path) -> Path:
    """A data folder with the agencies and their clients."""
    with open_core(Settings(data_dir=folder), TurnedClock()) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            scopes = tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(
                ClientRow(client_of(agency.id), agency.id, scopes, b"x", None, "2025-03-14T02:00:00.000Z")
            )
    return folder


@dataclass
class HubWorld:
    core: Core
    clock: TurnedClock
    desk: ComplaintDesk
    legs: Ids = field(init=False)

    def __post_init__(self) -> None:
        self.legs = self.core.ids

    # --- requests ------------------------------------------------------------------------------------

    def submission(self, reference: str = "PGD-1", agency: str = KOTIM, *, key: str | None = None,
                   body: bytes = b"{}", **changes: Any) -> Request:  # fmt: skip
        document = complaint(reference, agency, **changes)
        return self.desk.prepare(principal(agency), document, self.idempotency(agency, key, body))

    def request(self, command: Any, agency: str = KOTIM, *, key: str | None = None, body: bytes = b"{}",
                if_match: int | None = None) -> Request:  # fmt: skip
        return Request(principal(agency), command, self.idempotency(agency, key, body), None, if_match)

    def idempotency(self, agency: str, key: str | None, body: bytes) -> Idempotency | None:
        if key is None:
            return None
        digest = self.core.sealer.hub_digest
        return Idempotency(digest("idempotency-key", f"{agency} {key}".encode()), digest("body", body))

    def forwarding(self, case_id: str, *to: tuple[str, str], note: str | None = None) -> Forward:
        return Forward(case_id, tuple(Recipient(self.legs.new(), *each) for each in to), note)

    # --- doing ---------------------------------------------------------------------------------------

    def run(self, *requests: Request) -> list[Any]:
        return self.core.runner.run(requests)[0]

    def do(self, *requests: Request) -> Outcome:
        """All of them one by one, each accepted; the last outcome."""
        for request in requests:
            (result,) = self.run(request)
            assert isinstance(result, Outcome), result
        return result

    def submitted(self, reference: str = "PGD-1", agency: str = KOTIM, **changes: Any) -> str:
        return self.do(self.submission(reference, agency, **changes)).ids[0]

    def forwarded(self, *to: tuple[str, str], reference: str = "PGD-1") -> tuple[str, ...]:
        """A verified case forwarded to agencies: (case id, leg ids...)."""
        case_id = self.submitted(reference)
        self.do(self.request(Verify(case_id, "accept")))
        return self.do(self.request(self.forwarding(case_id, *(to or ((PUPR, "lead"),))))).ids

    def whole_life(self, reference: str = "PGD-1", **changes: Any) -> str:
        """A case with an event of almost every type."""
        case_id = self.submitted(reference, **changes)
        self.do(self.request(Verify(case_id, "incomplete", "Nomor tiang belum disebut.")))
        self.do(self.request(Verify(case_id, "accept")))
        first = self.forwarding(case_id, (PLN, "lead"), note="Mohon ditindaklanjuti.")
        second = self.forwarding(case_id, (PUPR, "lead"), (PLN, "support"), note="PLN memasang lampunya.")
        self.do(
            self.request(first),
            self.request(Return(case_id, first.to[0].leg_id, "not_ours", "Bukan aset kami."), PLN),
        )
        self.do(self.request(second))
        for leg, agency in ((second.to[0].leg_id, PUPR), (second.to[1].leg_id, PLN)):
            self.do(self.request(Accept(case_id, leg), agency))
            self.do(self.request(Progress(case_id, leg, "Tim di lokasi."), agency))
            self.do(self.request(Answer(case_id, leg, "Sudah menyala."), agency))
        self.do(self.request(Close(case_id, "resolved", "Pelapor puas.")))
        self.do(self.request(Reopen(case_id, "Padam lagi.")))
        return case_id

    # --- looking -------------------------------------------------------------------------------------

    def read(self, query: Any) -> Any:
        with self.core.store.read() as session:
            return query(session)

    def version(self, case_id: str) -> int:
        return int(self.read(lambda session: session.case(case_id).state.version))

    def last_position(self) -> int:
        return int(self.read(lambda session: session.last_position()))

    def fold(self, session: ReadSession, target: WriteTransaction) -> int:
        verify_chains(session.events_after)
        return Rebuilder(session.events_after, session.keys, self.core.sealer).run(target)

    def difference(self) -> str | None:
        events, found = check_rebuild(self.core.store, self.fold)
        assert events == self.last_position()
        return found

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        self._limit_pages(1)
        try:
            yield
        finally:
            self._limit_pages(1 << 30)

    def _limit_pages(self, pages: int) -> None:
        with self.core.store.write() as connection:
            connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    def sql(self, statement: str, *parameters: Any) -> None:
        """What a defect or an intruder would do to the tables."""
        with self.core.store.writing() as connection:
            assert connection.execute(statement, parameters).rowcount > 0, "the statement found nothing"

    # --- as the server runs it -----------------------------------------------------------------------

    @asynccontextmanager
    async def serving(self, *, queue: int = 4096, look_every_s: float = 3600.0) -> AsyncIterator[Hub]:
        """Writer, readers, bus and mailboxes around the core. By default the bus never looks by itself."""
        core = self.core
        readers = Readers(core.store)
        bus = EmbeddedBus(
            lambda after, limit: readers.run(lambda session: session.events_after(after, limit)),
            lambda: readers.run(lambda session: session.last_position()),
            look_every_s,
        )
        writer = Writer(core.runner, bus.offer, queue)
        mailboxes = Mailboxes(readers, writer, core.rows, core.sealer, core.settings.issuer)
        mailboxes.attach(bus)
        hub = Hub(
            public_url=core.settings.issuer,
            registry=core.registry,
            desk=self.desk,
            writer=writer,
            readers=readers,
            mailboxes=mailboxes,
            sealing=core.sealer,
            ids=core.ids,
            clock=core.clock,
            read_marks=ReadMarkTable(core.store),
        )
        async with AsyncExitStack() as stack:
            stack.callback(readers.close)
            writer.start()
            stack.push_async_callback(writer.stop)
            await bus.start()
            stack.push_async_callback(bus.stop)
            yield hub


@contextmanager
def hub_world(folder: Path, codes: ComplaintCodes) -> Iterator[HubWorld]:
    clock = TurnedClock()
    with open_core(Settings(data_dir=folder), clock) as core:
        desk = ComplaintDesk(
            codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=clock
        )
        yield HubWorld(core, clock, desk)


def copied(template: Path, folder: Path) -> Path:
    shutil.copytree(template, folder)
    return folder


def statuses(results: Sequence[Any]) -> list[int]:
    return [result.status for result in results]


__all__ = [name for name in dir() if not name.startswith("_") and name not in ("annotations", "replace")]
