"""Two hubs over one PostgreSQL, as two processes are: one reference at once, a case in another's hands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hub.app_core import open_core
from hub.cli.database import fold
from hub.domain.commands import Verify
from hub.errors import Held, MigrationNeeded, NotJson
from hub.ports.effects import Effects, Remembered
from hub.ports.registry import ClientRow
from hub.ports.relaying import DeadLetter, Origin, Place
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.once import Once
from hub.service.requests import Idempotency, Outcome, Refuse, RegisterAgency, Request
from hub.service.writer import Writer
from hub.settings import Settings, make_data_folder
from hub.store.backups import write_backup
from hub.store.opening import open_store
from hub.store.rebuilding import check_rebuild, rebuild_in_place
from hub.store.refilling import refill
from hub.store.relaying import RelayTables
from hub.store.restoring import restore
from hub.vault.master_key import MasterKeyFile
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import AGENCIES, DEFAULT_SCOPES, KOTIM, HubWorld, TurnedClock, client_of, statuses
from tests.store.storework import PostgresBackend

pytestmark = pytest.mark.postgres
WHEN = "2025-03-14T02:00:00.000Z"


@pytest.fixture
def engine() -> str:
    return "postgres"


@pytest.fixture(scope="module")
def codes() -> ComplaintCodes:
    return ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())


@pytest.fixture
def hubs(backend: PostgresBackend, codes: ComplaintCodes, tmp_path: Path) -> Iterator[list[HubWorld]]:
    settings, clock = Settings(data_dir=tmp_path / "data", database_url=backend.url), TurnedClock()
    make_data_folder(settings)
    MasterKeyFile(settings.key_path).ensure(clock.now())
    with open_core(settings, clock, migrates=True) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            core.rows.add_client(
                ClientRow(client_of(agency.id), agency.id, tuple(sorted(DEFAULT_SCOPES)), b"x", None, WHEN)
            )
    with ExitStack() as stack:
        made = []
        for _ in range(2):
            core = stack.enter_context(open_core(settings, clock))
            desk = ComplaintDesk(
                codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=clock
            )
            made.append(HubWorld(core, clock, desk))
        yield made


@dataclass
class Meanwhile:
    """A store whose transactions let something happen, once, right before a step; else, before the tail is
    taken."""

    store: Any
    happen: Callable[[], object]
    step: str = "tail"

    @contextmanager
    def begin(self) -> Iterator[Any]:
        with self.store.begin() as txn:
            take = getattr(txn, self.step)

            def stepped(*args: Any) -> Any:
                happen, self.happen = self.happen, lambda: None
                happen()
                return take(*args)

            setattr(txn, self.step, stepped)
            yield txn


def runner_with(world: HubWorld, happen: Callable[[], object], step: str = "tail") -> BatchRunner:
    core = world.core
    store: Any = Meanwhile(core.store, happen, step)
    return BatchRunner(
        store, Decider(core.sealer, core.ids, core.rulebook), core.sealer, world.clock, lambda pause_s: None
    )


def test_the_same_reference_submitted_to_two_processes_at_once_is_one_case(hubs: list[HubWorld]) -> None:
    here, there = hubs
    first: list[Any] = []
    before = here.last_position()
    runner = runner_with(here, lambda: first.extend(there.run(there.submission("PGD-1"))))
    results, _ = runner.run([here.submission("PGD-1")])
    assert statuses([*first, *results]) == [201, 200]
    assert results[0].ids == first[0].ids
    assert here.last_position() == there.last_position() == before + 1


def test_the_same_key_sent_to_two_processes_at_once_takes_effect_once(hubs: list[HubWorld]) -> None:
    here, there = hubs
    case_id = here.submitted("PGD-1")
    request = here.request(Verify(case_id, "incomplete", "Nomor tiang?"), key="k")
    other = there.submission("PGD-7", key="k2")
    runner = runner_with(here, lambda: there.do(other))
    results, _ = runner.run([request, here.submission("PGD-7", key="k2")])
    assert statuses(results) == [200, 201]
    assert [result.replayed for result in results] == [False, True]


@pytest.mark.parametrize("step", ["lock", "look_up", "load_files", "tail"])
def test_the_same_key_is_never_refused_because_it_took_effect_elsewhere(
    hubs: list[HubWorld], step: str
) -> None:
    """Whatever the moment at which the other process does it, or tries to."""
    here, there = hubs
    request = here.request(Verify(here.submitted("PGD-1"), "accept"), key="k")
    first: list[Any] = []
    runner = runner_with(here, lambda: first.extend(there.run(request)), step)
    results, _ = runner.run([request])
    assert first, "it happened"
    assert statuses([r for r in [*first, *results] if not isinstance(r, Held)]) in ([200], [200, 200])
    assert statuses(there.run(request)) == [200]


async def test_a_write_that_is_no_command_is_answered_though_another_process_remembers_it_first(
    hubs: list[HubWorld],
) -> None:
    """Both made it, which harms nobody; each answer is true, and what is remembered is one of them."""
    here, there = hubs
    key = Idempotency(b"k" * 32, b"b")

    async def made() -> str:
        return "rahasia"

    async def again(kept: tuple[str, ...]) -> str:
        return f"again {kept}"

    async with there.serving() as other, here.serving() as hub:

        def meanwhile() -> None:
            with there.core.store.begin() as txn:
                txn.write(Effects(remembered=[Remembered(key.key, key.body, 200, "once", ("x",), WHEN)]))
                txn.commit()

        store: Any = Meanwhile(here.core.store, meanwhile, "write")
        assert await Once(store, hub.readers, hub.writer, here.clock).run(key, made, again) == "rahasia"
        for world, serving in ((here, hub), (there, other)):
            once = Once(world.core.store, serving.readers, serving.writer, world.clock)
            assert await once.run(key, made, again) == "again ('x',)"


def test_a_cause_that_postgresql_cannot_hold_costs_no_answer_and_no_place(hubs: list[HubWorld]) -> None:
    here, _ = hubs
    refusal = here.request(Refuse(NotJson("Rusak."), "specversion is 1.\x000\x1b"))
    letter = letter_of(here, refusal)
    assert (letter.cause, letter.sha256) == ("specversion is 1.\ufffd0\ufffd", "ab")


def test_a_record_whose_row_is_refused_keeps_its_answer_and_its_place(hubs: list[HubWorld]) -> None:
    here, _ = hubs
    taken, broken = here.submitted("PGD-1"), here.submission("PGD-2")
    letter = letter_of(here, replace(broken, command=replace(broken.command, case_id=taken)))
    assert (letter.cause, letter.sha256) == ("the database refused it", "ab")


def letter_of(here: HubWorld, request: Request) -> DeadLetter:
    """Of this request as a record; its place and its answer are there too."""
    origin = Origin("simpul.inbound.x", 0, 7, "c-7", sha256="ab")
    table: Any = RelayTables(here.core.store)
    here.run(replace(request, origin=origin))
    assert table.next_offsets([(origin.topic, 0)]) == {(origin.topic, 0): Place(8)}
    assert [answer.correlation for answer in table.record_answers(KOTIM, 9)] == ["c-7"]
    (letter,) = table.dead_letters(9)
    return letter


def test_a_case_in_another_processs_hands_is_put_off_and_its_neighbours_are_not(hubs: list[HubWorld]) -> None:
    here, there = hubs
    case_id, other = here.submitted("PGD-1"), here.submitted("PGD-2")
    with there.core.store.begin() as txn:
        assert txn.lock([case_id]) == set()
        results = here.run(
            here.request(Verify(case_id, "accept")),
            here.request(Verify(other, "accept")),
            here.submission("PGD-3"),
        )
    assert isinstance(results[0], Held)
    assert statuses(results) == [503, 200, 201]
    assert statuses(here.run(here.request(Verify(case_id, "accept")))) == [200]


async def test_what_was_put_off_is_answered_when_the_other_process_is_done(hubs: list[HubWorld]) -> None:
    """Through the writer: the caller sees nothing of it, and who came with it is answered meanwhile."""
    here, there = hubs
    case_id = here.submitted("PGD-1")
    writer = Writer(here.core.runner, lambda commits: None)
    writer.start()
    holding, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with there.core.store.begin() as txn:
            txn.lock([case_id])
            holding.set()
            let_go.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        await asyncio.to_thread(holding.wait, 5)
        put_off = writer.submit([here.request(Verify(case_id, "accept"))])
        (neighbour,) = await writer.submit([here.submission("PGD-2")])
        assert isinstance(neighbour, Outcome)
        assert not put_off.done()
        let_go.set()
        (result,) = await asyncio.wait_for(put_off, 10)
        assert isinstance(result, Outcome)
        assert writer.waiting == 0
    finally:
        let_go.set()
        thread.join()
        await writer.stop()


def test_a_whole_life_on_postgresql_equals_its_rebuild(hubs: list[HubWorld]) -> None:
    here, there = hubs
    here.whole_life("PGD-1")
    there.whole_life("PGD-2")
    assert here.difference() is None
    here.sql("UPDATE cases SET status = 'closed' WHERE id = ?", here.submitted("PGD-3"))
    assert "cases" in (here.difference() or "")


def test_a_backup_of_postgresql_is_restored_into_either_engine(
    hubs: list[HubWorld], store_factory: Any, tmp_path: Path
) -> None:
    here, _ = hubs
    case_id = here.whole_life("PGD-1")
    attachments, file = tmp_path / "data" / "attachments", tmp_path / "backup.tar.gz"
    attachments.mkdir(exist_ok=True)
    position = here.last_position()
    assert write_backup(here.core.store, attachments, file)["events"] == position
    before = here.read(lambda session: (session.incarnation(), session.case(case_id), session.agencies()))
    here.submitted("LATER")
    fresh = store_factory().url
    for place in (tmp_path / "restored.db", fresh, here.core.settings.database):
        if isinstance(place, Path):
            done = restore(file, place, attachments, fold(here.core.sealer))
        else:
            done = refill(file, place, attachments, fold(here.core.sealer))
        assert done.events == position
        with ExitStack() as stack:
            store = open_store(place, lambda known: None, migrates=True)
            stack.callback(store.close)
            session = stack.enter_context(store.read())
            assert session.incarnation() == done.incarnation != before[0]
            assert (session.case(case_id), session.agencies()) == before[1:]
            assert session.last_position() == position
            assert session.reference("pemkab-kotim", "LATER") is None
            assert check_rebuild(store, fold(here.core.sealer)) == (position, None)


def test_a_rebuild_makes_the_same_tables_again(hubs: list[HubWorld]) -> None:
    here, _ = hubs
    here.whole_life("PGD-1")
    here.sql("UPDATE case_agencies SET status = 'rusak'")
    assert here.difference() is not None
    assert rebuild_in_place(here.core.store, fold(here.core.sealer)) == here.last_position()
    assert here.difference() is None


def test_serving_does_not_migrate_postgresql(backend: PostgresBackend, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=backend.url)
    store = backend.open()
    with store.writing() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(MigrationNeeded, match="run `simpul migrate`"), open_core(settings):
        pass
