"""`simpul dead-letter redrive`: a record that failed for a cause which is gone is taken, once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
import structlog
from click.testing import CliRunner, Result

from hub.app import _chores
from hub.bus.kafka.binding import received
from hub.cli.main import main as simpul
from hub.errors import Problem
from hub.ports.broker import InRecord
from hub.ports.clock import rfc3339
from hub.ports.relaying import Relayed
from hub.ports.topics import DEAD_LETTERS_KEPT, inbound
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.inbound import InboundDesk
from hub.service.requests import Outcome
from hub.store.files import FileTables
from hub.store.relaying import RelayTables
from schemas.registry import Registry as Schemas
from tests.service.hubworld import KOTIM, HubWorld, complaint

TOPIC = inbound("simpul.", KOTIM)
LETTER = f"{TOPIC}/0/7"
Decode = Callable[[InRecord], Mapping[str, Any]]


def record(offset: int = 7) -> InRecord:
    """A complaint in structured mode."""
    event = {
        "specversion": "1.0",
        "id": "kirim-1",
        "source": "/aplikasi",
        "type": "id.simpul.command.complaint.v1",
        "data": complaint("K-1"),
    }
    headers = (("content-type", b"application/cloudevents+json"),)
    return InRecord(TOPIC, 0, offset, b"kunci", headers, orjson.dumps(event), 0)


def cannot_read(record: InRecord) -> Mapping[str, Any]:
    """The binding of a hub that does not know the structured mode yet."""
    raise ValueError("content-type application/cloudevents+json is not known")


class Defective(Decider):
    """A hub whose decision fails."""

    def run(self, *args: Any) -> Outcome:
        raise LookupError("a defect that a later release mends")


class Broker:
    """Keeps the record for as long as the test wants."""

    def __init__(self) -> None:
        self.kept: InRecord | None = record()

    def record_at(self, endpoint: object, topic: str, partition: int, offset: int) -> InRecord | None:
        return self.kept if (topic, partition, offset) == (TOPIC, 0, 7) else None


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A command configures the logs of its process; they are as before afterwards."""
    made, logs = Broker(), structlog.get_config()
    monkeypatch.setattr("hub.cli.dead_letters.record_at", made.record_at)
    yield made
    structlog.configure(**logs)


@pytest.fixture
def command(world: HubWorld, broker: Broker) -> Callable[..., Result]:
    """The command over the same data folder, as an operator runs it beside the hub."""
    folder: Path = world.core.settings.data_dir
    settings = {"SIMPUL_DATA_DIR": str(folder), "SIMPUL_KAFKA_BOOTSTRAP": "127.0.0.1:9"}
    return lambda *words: CliRunner().invoke(simpul, ["dead-letter", *words], env=settings)


def take(world: HubWorld, taken: InRecord, decode: Decode = received, *, decider: Any = Decider) -> Any:
    """The record as the inbound role takes it; its result."""

    async def prepared() -> Any:
        async with world.serving() as hub:
            desk = InboundDesk(hub, Schemas.load(), world.core.registry.agencies, decode, "simpul.")
            return await desk.prepare(taken)

    core = world.core
    runner = BatchRunner(core.store, decider(core.sealer, core.ids, core.rulebook), core.sealer, world.clock)
    (result,), _ = runner.run([asyncio.run(prepared())])
    return result


def listed(command: Callable[..., Result]) -> list[dict[str, Any]]:
    done = command("list")
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def cases(world: HubWorld) -> int:
    return int(world.read(lambda s: len([e for e in s.events_after(0, 99) if b"complaint.s" in e.header])))


CAUSES: dict[str, dict[str, Any]] = {
    "not understood": {"decode": cannot_read},
    "a defect": {"decider": Defective},
}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("published", [False, True], ids=["waiting", "published"])
def test_what_failed_for_a_cause_that_is_gone_is_taken_once(
    world: HubWorld, command: Callable[..., Result], cause: str, published: bool
) -> None:
    table = RelayTables(world.core.store)
    assert isinstance(take(world, record(), **CAUSES[cause]), Problem)
    assert [letter["id"] for letter in listed(command)] == [LETTER]
    if published:
        assert table.settle(1, Relayed({}, dead_letters=table.unpublished_dead_letters(9)))
    done = command("redrive", LETTER)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert (answer["status"], answer["kind"], cases(world)) == (201, "case", 1)
    assert listed(command) == []
    assert table.unpublished_dead_letters(9) == [], "a letter that is none any more is not published"
    assert world.read(lambda s: s.case(answer["case_id"])).state.reference == "K-1"

    again = command("redrive", LETTER)
    assert (again.exit_code, cases(world)) == (1, 1)
    assert "There is no dead letter" in again.stderr
    sent_again = take(world, record(offset=8))
    assert (sent_again.ids[0], cases(world)) == (answer["ids"][0], 1), "the same event by another record"


def test_a_redrive_that_was_killed_before_it_was_noted_is_repeated_safely(
    world: HubWorld, command: Callable[..., Result]
) -> None:
    take(world, record(), decider=Defective)
    first = json.loads(command("redrive", LETTER).stdout)
    world.sql("UPDATE dead_letters SET state = 'published' WHERE id = ?", LETTER)
    second = json.loads(command("redrive", LETTER).stdout)
    assert (second["ids"], cases(world)) == (first["ids"], 1)
    assert listed(command) == []


def test_while_the_cause_remains_it_stays_dead(
    world: HubWorld, command: Callable[..., Result], broker: Broker
) -> None:
    poison = broker.kept = InRecord(TOPIC, 0, 7, None, (), b"{tidak json", 0)
    take(world, poison)
    before = listed(command)
    done = command("redrive", LETTER)
    assert (done.exit_code, cases(world)) == (1, 0)
    assert "JSON" in done.stderr
    assert listed(command) == before
    assert [letter["id"] for letter in before] == [LETTER]


def test_a_hub_that_still_fails_on_it_says_so_in_one_line(
    world: HubWorld, command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    take(world, record(), decider=Defective)

    async def fails(desk: InboundDesk, taken: InRecord) -> Any:
        raise TypeError("a defect")

    monkeypatch.setattr(InboundDesk, "prepare", fails)
    done = command("redrive", LETTER)
    assert (done.exit_code, done.stderr.count("\n"), cases(world)) == (1, 1, 0)
    assert LETTER in done.stderr and "TypeError" in done.stderr
    assert [letter["id"] for letter in listed(command)] == [LETTER]


def test_another_record_at_its_place_is_not_taken_for_it(
    world: HubWorld, command: Callable[..., Result], broker: Broker
) -> None:
    take(world, record(), cannot_read)
    for kept in (None, InRecord(TOPIC, 0, 7, None, (), orjson.dumps(complaint("K-2")), 0)):
        broker.kept = kept
        done = command("redrive", LETTER)
        assert (done.exit_code, cases(world)) == (1, 0)
        assert "no longer keeps the record" in done.stderr
    assert [letter["id"] for letter in listed(command)] == [LETTER]


def test_the_hub_forgets_dead_letters_when_the_topic_does(world: HubWorld) -> None:
    take(world, record(), cannot_read)
    core, table = world.core, RelayTables(world.core.store)
    chores = _chores(core, FileTables(core.store), cast(Any, None), cast(Any, None), cast(Any, None))
    (chore,) = [chore for chore in chores if chore.name == "dead_letters"]
    assert chore.keep == DEAD_LETTERS_KEPT
    world.clock.turn(days=89)
    assert chore.run(rfc3339(world.clock.now() - chore.keep)) == 0
    world.clock.turn(days=1, seconds=1)
    assert chore.run(rfc3339(world.clock.now() - chore.keep)) == 1
    assert table.dead_letters(9) == []
