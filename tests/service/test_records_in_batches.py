"""Inbound records in batches that fail as a whole: a later place stands for every record before it, so none
may take effect over one that did not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hub.domain.commands import Verify
from hub.errors import Held, OutcomeUnknown, RowRefused, StoreError, StoreUnavailable
from hub.ports.effects import Effects
from hub.ports.relaying import Origin, Place
from hub.ports.sealing import MasterKeyError
from hub.service.batch import CRASHED_CAUSE, REFUSED_CAUSE, BatchRunner
from hub.service.decide import Decider
from hub.service.requests import Outcome, Request
from hub.store.relaying import RelayTables
from tests.service.hubworld import HubWorld, statuses

TOPIC = "simpul.inbound.pemkab-kotawaringin-timur"
NUL = bytes(32).hex()


def record(world: HubWorld, offset: int, partition: int = 0) -> Request:
    """One that submits a complaint; its reference says which it is."""
    origin = Origin(TOPIC, partition, offset, f"c-{offset}", sha256=NUL)
    return replace(world.submission(f"R-{partition}-{offset}"), origin=origin)


def name_of(request: Request) -> str:
    assert request.reference is not None
    return request.reference[1]


@dataclass
class Stubborn:
    """A real transaction that fails where it is told to."""

    inner: Any
    fails: Callable[[str, Any], None]

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.fails(name, arguments[0] if arguments else None)
            return getattr(self.inner, name)(*arguments)

        return call


@dataclass
class StubbornStore:
    """The real store, whose transactions fail by `fails(name of the call, its first argument)`."""

    store: Any
    fails: Callable[[str, Any], None]
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def begin(self) -> Any:
        with self.store.begin() as txn:
            yield Stubborn(txn, self._told)

    def _told(self, name: str, argument: Any) -> None:
        self.calls.append(name)
        self.fails(name, argument)


def runner_of(world: HubWorld, fails: Callable[[str, Any], None], sealing: Any = None) -> BatchRunner:
    core = world.core
    decider = Decider(core.sealer, core.ids, core.rulebook)
    store: Any = StubbornStore(core.store, fails)
    return BatchRunner(store, decider, sealing or core.sealer, world.clock, sleep=lambda _: None)


def writing(effects: Any, name: str) -> bool:
    return isinstance(effects, Effects) and any(each.reference == name for each in effects.references)


def place_of(world: HubWorld, partition: int = 0) -> int | None:
    places = RelayTables(world.core.store).next_offsets([(TOPIC, partition)])
    place = places.get((TOPIC, partition))
    return place and Place(*place).offset


def again(world: HubWorld, batch: Sequence[Request]) -> list[Any]:
    """As the inbound role does: the whole chunk once more, by a store that works."""
    return world.run(*batch)


@pytest.mark.parametrize("place", range(4))
def test_a_half_that_could_not_be_written_lets_nothing_behind_it_pass(world: HubWorld, place: int) -> None:
    """A row refuses the whole; then the database goes away for the half in which the record of `place` is."""
    batch = [record(world, offset) for offset in range(4)]
    bad = name_of(batch[place])

    def fails(call: str, argument: Any) -> None:
        if call == "write" and isinstance(argument, Effects):
            if len(argument.references) == len(batch):
                raise RowRefused("a row")
            if writing(argument, bad):
                raise StoreUnavailable("away")

    results, _ = runner_of(world, fails).run(batch)
    refused = [isinstance(result, Outcome) for result in results]
    assert refused == sorted(refused, reverse=True), "none behind one that waits"
    assert statuses(again(world, batch)) == [200 if done else 201 for done in refused]
    assert place_of(world) == 4
    assert world.difference() is None


def test_other_partitions_and_requests_go_on_beside_a_half_that_waits(world: HubWorld) -> None:
    left, right = [record(world, 0), record(world, 1)], [record(world, 2), record(world, 0, 1)]
    batch = [*left, *right, world.submission("HTTP")]
    batch.insert(2, world.submission("FIRST"))

    def fails(call: str, argument: Any) -> None:
        if call == "write" and isinstance(argument, Effects):
            if len(argument.references) == len(batch):
                raise RowRefused("a row")
            if writing(argument, name_of(left[0])):
                raise StoreUnavailable("away")

    results, _ = runner_of(world, fails).run(batch)
    assert statuses(results) == [503, 503, 503, 503, 201, 201]
    assert isinstance(results[3], Held), "it stands behind the two that wait"
    assert (place_of(world), place_of(world, 1)) == (None, 1)


@pytest.mark.parametrize("culprit", range(5))
def test_what_crashes_a_whole_batch_is_found_and_harms_no_neighbour(world: HubWorld, culprit: int) -> None:
    """A defect beyond the commands themselves, such as in what is written of one of them."""
    batch = [record(world, offset) for offset in range(5)]
    bad = name_of(batch[culprit])

    def fails(call: str, argument: Any) -> None:
        if call == "write" and writing(argument, bad):
            raise KeyError("a defect")

    results, _ = runner_of(world, fails).run(batch)
    assert statuses(results) == [500 if n == culprit else 201 for n in range(5)]
    assert place_of(world) == 5
    (letter,) = RelayTables(world.core.store).dead_letters(9)
    assert (letter.offset, letter.cause, letter.sha256) == (culprit, CRASHED_CAUSE, NUL)
    assert world.difference() is None


class Panic(BaseException):
    """What a native library raises: no Exception."""


def test_a_native_librarys_panic_is_one_requests_crash(world: HubWorld) -> None:
    batch = [world.submission("A"), world.submission("BAD"), world.submission("C")]

    def fails(call: str, argument: Any) -> None:
        if call == "write" and writing(argument, "BAD"):
            raise Panic("at index 7")

    assert statuses(runner_of(world, fails).run(batch)[0]) == [201, 500, 201]


def test_a_hub_that_crashes_on_everything_loses_no_record(world: HubWorld) -> None:
    batch = [record(world, offset) for offset in range(3)]

    def fails(call: str, argument: Any) -> None:
        if call == "write":
            raise KeyError("a defect")

    assert statuses(runner_of(world, fails).run(batch)[0]) == [503] * 3
    assert place_of(world) is None
    assert statuses(again(world, batch)) == [201] * 3


@pytest.mark.parametrize("trouble", [KeyError("a defect"), Panic("a panic")])
def test_a_crash_when_the_commit_had_begun_is_not_tried_again(
    world: HubWorld, trouble: BaseException
) -> None:
    """Nobody knows here whether it took effect; a repetition finds out, by its reference."""
    batch = [world.submission("A"), world.submission("B")]
    done: list[str] = []

    @contextmanager
    def begin() -> Any:
        with world.core.store.begin() as txn:
            real = txn.commit

            def commit() -> None:
                real()
                done.append("committed")
                raise trouble

            yield Stubborn(txn, lambda name, _: commit() if name == "commit" else None)

    runner = runner_of(world, lambda name, argument: None)
    runner._store.begin = begin  # type: ignore[method-assign]
    results, _ = runner.run(batch)
    assert (statuses(results), done) == ([503, 503], ["committed"])
    assert "does not know yet" in results[0].detail
    assert statuses(world.run(*batch)) == [200, 200], "both were stored, once"


@pytest.mark.parametrize(
    "trouble",
    [MasterKeyError("There is no master key file."), StoreError("a pooler"), OutcomeUnknown("lost")],
)
def test_what_no_request_is_to_blame_for_makes_all_wait(world: HubWorld, trouble: Exception) -> None:
    batch = [record(world, 0), record(world, 1), world.submission("HTTP")]
    told: list[str | None] = []

    def fails(call: str, argument: Any) -> None:
        if call == "write":
            raise trouble

    runner = runner_of(world, fails)
    runner.heard = told.append
    assert statuses(runner.run(batch)[0]) == [503] * 3
    assert told == [str(trouble)], "/readyz says why"
    assert place_of(world) is None


def test_a_key_file_that_is_gone_for_a_moment_costs_no_record(world: HubWorld) -> None:
    class Gone:
        def refresh(self) -> int:
            raise MasterKeyError("There is no master key file.")

        def __getattr__(self, name: str) -> Any:
            return getattr(world.core.sealer, name)

    batch = [record(world, 0), record(world, 1)]
    assert statuses(runner_of(world, lambda *_: None, Gone()).run(batch)[0]) == [503, 503]
    assert statuses(again(world, batch)) == [201, 201]


def test_a_case_whose_key_generation_is_missing_waits_and_its_partition_with_it(world: HubWorld) -> None:
    """Restoring the key file helps; a dead letter or a 500 would say that nothing does."""
    case_id = world.submitted("X-1")
    world.sql("UPDATE stream_keys SET generation = 99 WHERE stream = ?", case_id)
    origin = Origin(TOPIC, 0, 0, "c-0")
    stuck = replace(world.request(Verify(case_id, "incomplete", "Foto mana?")), origin=origin)
    batch = [stuck, record(world, 1), record(world, 0, 1), world.submission("HTTP")]
    assert statuses(world.run(*batch)) == [503, 503, 201, 201]
    assert RelayTables(world.core.store).dead_letters(9) == []
    assert place_of(world) is None
    world.sql("UPDATE stream_keys SET generation = 1 WHERE stream = ?", case_id)
    assert statuses(world.run(*batch[:2])) == [200, 201]


def test_a_refused_rows_dead_letter_names_the_records_hash(world: HubWorld) -> None:
    batch = [record(world, 0), record(world, 1)]

    def fails(call: str, argument: Any) -> None:
        if call == "write" and writing(argument, name_of(batch[1])):
            raise RowRefused("a row")

    assert statuses(runner_of(world, fails).run(batch)[0]) == [201, 500]
    (letter,) = RelayTables(world.core.store).dead_letters(9)
    assert (letter.cause, letter.sha256) == (REFUSED_CAUSE, NUL)
