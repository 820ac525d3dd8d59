"""Cases as each agency may see them: whole, frozen where it left, or not at all; lists and history."""

from __future__ import annotations

import time
from typing import Any

import pytest

from auth.scopes import DEFAULT_SCOPES
from hub.domain.commands import Accept, Progress, Return, Verify, Withdraw
from hub.errors import Forbidden, Invalid, NotFound
from hub.ports.store import CaseFilter
from hub.service.bulk import BulkIntake
from hub.service.ids import Ids, tracking_number, uuid_of
from hub.service.submissions import missing_references, submissions_digest
from schemas.registry import Registry as Schemas
from tests.service.hubworld import (
    KOTIM,
    MEDAN,
    PLN,
    PUPR,
    STRANGER,
    HubWorld,
    TurnedClock,
    complaint,
    principal,
)


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas.load()


async def test_a_case_fits_the_schema_for_everyone_and_a_stranger_sees_nothing(
    world: HubWorld, schemas: Schemas
) -> None:
    case_id = world.whole_life()
    async with world.serving() as hub:
        for agency in (KOTIM, PUPR, PLN):
            view = await hub.reading.case(principal(agency), case_id)
            assert schemas.validate("case", view) == []
            history, more, _ = await hub.reading.history(principal(agency), case_id, 0, 200)
            assert more is None
            for event in history:
                name = event["type"].removeprefix("id.simpul.").removesuffix(".v1")
                assert schemas.validate(name, event["data"]) == []
        for reading in (
            hub.reading.case(principal(STRANGER), case_id),
            hub.reading.history(principal(STRANGER), case_id, 0, 9),
        ):
            with pytest.raises(NotFound):
                await reading


@pytest.mark.parametrize("how", ["returned", "withdrawn"])
async def test_who_left_sees_its_leg_and_what_stood_then(world: HubWorld, how: str) -> None:
    case_id, mine, other = world.forwarded((PUPR, "lead"), (PLN, "support"))
    if how == "returned":
        world.do(world.request(Return(case_id, mine, "not_ours", "Bukan kami."), PUPR))
    else:
        world.do(world.request(Withdraw(case_id, mine, "Salah alamat.")))
    then = world.version(case_id)
    world.clock.turn(hours=1)
    world.do(
        world.request(Accept(case_id, other), PLN), world.request(Progress(case_id, other, "Rahasia."), PLN)
    )
    async with world.serving() as hub:
        view = await hub.reading.case(principal(PUPR), case_id)
        assert (view["version"], view["status"], view["actions"]) == (then, "forwarded", [])
        assert [(leg["to"], leg["status"]) for leg in view["forwardings"]] == [(PUPR, how)]
        assert "name" not in view["complaint"]["reporter"]
        history, _, _ = await hub.reading.history(principal(PUPR), case_id, 0, 99)
        assert [int(event["sequence"]) for event in history] == [1, 2, 3, then], "without the other leg"
        assert "Rahasia." not in str([view, history])
        (listed,), _ = await hub.reading.cases(principal(PUPR), CaseFilter(), None, 9)
        assert listed == view
        found, _ = await hub.reading.cases(principal(PUPR), CaseFilter(status="in_progress"), None, 9)
        assert found == [], "it is not told how the case goes on"
        assert (await hub.reading.cases(principal(PUPR), CaseFilter(agency=PLN), None, 9))[0] == []


async def test_the_name_is_for_those_who_take_part_and_only_when_no_flag_forbids(world: HubWorld) -> None:
    case_id, _ = world.forwarded()
    async with world.serving() as hub:
        for agency in (KOTIM, PUPR):
            view = await hub.reading.case(principal(agency), case_id)
            assert view["complaint"]["reporter"] == {"anonymous": False, "name": "Marlina Tundan"}


async def test_history_in_pages(world: HubWorld) -> None:
    case_id = world.whole_life()
    async with world.serving() as hub:
        after: int | None = 0
        seen: list[int] = []
        while after is not None:
            events, after, _ = await hub.reading.history(principal(KOTIM), case_id, after, 3)
            seen += [int(event["sequence"]) for event in events]
        assert seen == list(range(1, world.version(case_id) + 1))


async def test_lists_in_pages_newest_first(world: HubWorld) -> None:
    made = [world.submitted(f"P-{n}") for n in range(5)]
    async with world.serving() as hub:
        after: tuple[str, ...] | None = None
        seen: list[str] = []
        while True:
            items, after = await hub.reading.cases(principal(KOTIM), CaseFilter(), after, 2)
            seen += [item["id"] for item in items]
            if after is None:
                break
        assert seen == made[::-1]
        with pytest.raises(Forbidden):
            await hub.reading.cases(principal(KOTIM, frozenset()), CaseFilter(), None, 2)


async def test_existence_comes_before_rights_and_rights_before_the_body(world: HubWorld) -> None:
    case_id, leg = world.forwarded()
    async with world.serving() as hub:
        assert await hub.check(principal(PUPR), "accept", leg_id=leg) == case_id
        with pytest.raises(NotFound):
            await hub.check(principal(STRANGER, frozenset()), "accept", leg_id=leg)
        with pytest.raises(Forbidden):
            await hub.check(principal(KOTIM), "accept", leg_id=leg)
        with pytest.raises(Forbidden, match="cases:handle"):
            await hub.check(principal(PUPR, DEFAULT_SCOPES - {"cases:handle"}), "accept", leg_id=leg)
        with pytest.raises(NotFound):
            await hub.check(principal(PUPR), "accept", leg_id="tidak-ada")


async def test_submitting_one_and_many(world: HubWorld) -> None:
    async with world.serving() as hub:
        first = await hub.submit(principal(KOTIM), complaint("A"))
        bad = complaint("B", title="")
        lines = [complaint("A"), bad, Invalid("bukan JSON"), complaint("C"), complaint("D", MEDAN)]
        bulk = BulkIntake(hub, principal(KOTIM), 0.0, time.monotonic)
        results = await (await bulk.offer(lines)).settled()
        assert [result.status for result in results] == [200, 422, 422, 201, 403]
        assert results[0].ids == first.ids
        assert [pointer for pointer, _ in results[1].flaws] == ["/title"]
        assert [pointer for pointer, _ in results[4].flaws] == ["/source/agency"]
        with pytest.raises(Forbidden):
            await hub.submit(principal(KOTIM, frozenset()), complaint("E"))


@pytest.mark.parametrize(
    ("addressed", "fine"), [([PUPR], True), (["tidak-ada"], False), (["hub"], False), ([PUPR, "x"], False)]
)
async def test_an_addressed_agency_must_be_able_to_handle(
    world: HubWorld, addressed: Any, fine: bool
) -> None:
    async with world.serving() as hub:
        if fine:
            assert (await hub.submit(principal(KOTIM), complaint(addressed_to=addressed))).status == 201
            return
        with pytest.raises(Invalid) as refused:
            await hub.submit(principal(KOTIM), complaint(addressed_to=addressed))
        assert refused.value.flaws[0][0] == f"/addressed_to/{len(addressed) - 1}"


async def test_submissions_can_be_compared(world: HubWorld) -> None:
    import hashlib

    ids = {name: world.submitted(name) for name in ("C", "A", "B")}
    world.submitted("A", MEDAN)
    world.clock.turn(days=1)
    world.submitted("Z")
    async with world.serving() as hub:
        span = ("2025-03-14T00:00:00.000Z", "2025-03-15T00:00:00.000Z")
        digest = await submissions_digest(hub.readers, principal(KOTIM), *span)
        lines = "".join(f"{name} {ids[name]}\n" for name in "ABC")
        assert (digest["count"], digest["sha256"]) == (3, hashlib.sha256(lines.encode()).hexdigest())
        assert await missing_references(hub.readers, principal(KOTIM), ["X", "A", "X", "Y"]) == ["X", "Y"]
        assert await missing_references(hub.readers, principal(MEDAN), ["A", "B"]) == ["B"]


async def test_verifying_through_the_face(world: HubWorld) -> None:
    async with world.serving() as hub:
        first = await hub.submit(principal(KOTIM), complaint("A"))
        key = hub.idempotency(principal(KOTIM), "POST", "/v1/x", "satu", b"{}")
        for replayed in (False, True):
            outcome = await hub.act(principal(KOTIM), Verify(first.ids[0], "accept"), idempotency=key)
            assert (outcome.status, outcome.replayed) == (200, replayed)
        others = hub.idempotency(principal(MEDAN), "POST", "/v1/x", "satu", b"{}")
        assert key is not None
        assert others is not None
        assert others.key != key.key, "a key is its client's"
        assert hub.idempotency(principal(KOTIM), "POST", "/v1/x", None, b"{}") is None


def test_ids_rise_even_when_the_clock_stands_or_goes_back() -> None:
    clock = TurnedClock()
    ids = Ids(clock)
    made = [ids.new() for _ in range(5000)]
    clock.turn(hours=-1)
    made += [ids.new() for _ in range(100)]
    clock.turn(hours=2)
    made.append(ids.new())
    assert made == sorted(set(made))
    assert {(text[14], text[19] in "89ab") for text in made} == {("7", True)}
    assert int(made[-1].replace("-", "")[:12], 16) == int(clock.now().timestamp() * 1000)


def test_tracking_numbers_can_be_read_out_and_not_be_counted() -> None:
    ids = Ids(TurnedClock())
    numbers = [tracking_number(ids.new()) for _ in range(1000)]
    assert len(set(numbers)) == 1000
    assert {len(number) for number in numbers} == {14}
    assert not set("".join(numbers)) & set("ILOU")
    assert len({number[:2] for number in numbers}) > 300, "they do not follow one another"


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
        ("01890a5dac96774bbcceb302099a8057", None),
        ("{01890a5d-ac96-774b-bcce-b302099a8057}", None),
        ("urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", None),
        ("01890a5d-ac96-774b-bcce-b302099a8057\n", None),
        ("", None),
    ],
)
def test_a_callers_id_has_one_form(given: str, known: str | None) -> None:
    assert uuid_of(given) == known
