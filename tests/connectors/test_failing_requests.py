"""An event or a route at which the hub fails (500) waits, with what must come after it; the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import HubAway, NotNow
from connectors.spool import open_spool
from tests.connectors.failing_desk import CAP_S, Desk, patiently, uuid


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    spool = open_spool(tmp_path / "connector.spool")
    yield Desk(spool)
    spool.close()


async def test_a_case_that_the_hub_fails_at_holds_up_no_other_subject(desk: Desk) -> None:
    desk.hub.bad = {uuid(1)}
    for name, number in (("a1", 1), ("a2", 1), ("b1", 2), ("b2", 2)):
        desk.inbox.take({"id": name, "subject": uuid(number)}, True)
    applier = desk.applier()
    await patiently(applier.step, desk, 40)
    assert [name for _, name in desk.hub.taken] == ["b1", "b2"]
    assert desk.inbox.counts() == {"done": 2, "pending": 2}  # never set aside: the event is not to blame
    assert desk.hub.asked_of(1) < 14
    desk.hub.bad.clear()
    desk.now_s += CAP_S
    await patiently(applier.step, desk, 2)
    assert [name for _, name in desk.hub.taken] == ["b1", "b2", "a1", "a2"]


async def test_more_failing_subjects_than_one_step_takes_hold_up_no_other(desk: Desk) -> None:
    desk.hub.bad = {uuid(number) for number in range(1, 121)}
    for number in range(1, 141):
        desk.inbox.take({"id": f"e{number}", "subject": uuid(number)}, True)
    await patiently(desk.applier().step, desk)
    assert [name for _, name in desk.hub.taken] == [f"e{number}" for number in range(121, 141)]


async def test_a_hub_that_fails_at_every_event_is_not_asked_for_each(desk: Desk) -> None:
    desk.hub.bad = {uuid(number) for number in range(1, 31)}
    for number in range(1, 31):
        desk.inbox.take({"id": f"e{number}", "subject": uuid(number)}, True)
    with pytest.raises(NotNow, match="one request after another"):
        await desk.applier().step()
    assert len(desk.hub.asked) == 3


async def test_a_hub_that_is_away_stops_the_events(desk: Desk) -> None:
    desk.hub.away = True
    for number in (1, 2):
        desk.inbox.take({"id": f"e{number}", "subject": uuid(number)}, True)
    with pytest.raises(HubAway):
        await desk.applier().step()
    assert len(desk.hub.asked) == 1
    assert desk.inbox.ready(desk.now_s, 10)[0].attempts == 0


@pytest.mark.parametrize("failing", [1, 7, 8, 60])
async def test_complaints_that_the_hub_fails_to_route_hold_up_no_other(desk: Desk, failing: int) -> None:
    for number in range(1, failing + 21):
        desk.has_sent(number)
    desk.hub.bad = {uuid(number) for number in range(1, failing + 1)}
    router = desk.router()
    await patiently(router.step, desk, 20)
    assert desk.routed() == {f"{number:03d}" for number in range(failing + 1, failing + 21)}
    desk.hub.bad.clear()
    await patiently(router.step, desk, 60)
    assert len(desk.routed()) == failing + 20


async def test_a_failing_routes_pauses_grow_and_a_start_tries_it_at_once(desk: Desk) -> None:
    desk.has_sent(1)
    desk.hub.bad = {uuid(1)}
    router = desk.router()
    await patiently(router.step, desk, 300)
    assert 18 <= desk.hub.asked_of(1) < 45
    before = desk.hub.asked_of(1)
    await desk.router().step()
    assert desk.hub.asked_of(1) == before + 1


async def test_a_hub_that_fails_at_every_route_is_not_asked_for_each(desk: Desk) -> None:
    for number in range(1, 31):
        desk.has_sent(number)
    desk.hub.bad = {uuid(number) for number in range(1, 31)}
    with pytest.raises(NotNow, match="one request after another"):
        await desk.router().step()
    assert len(desk.hub.asked) == 8


async def test_a_hub_that_is_away_stops_the_routes(desk: Desk) -> None:
    for number in range(1, 31):
        desk.has_sent(number)
    desk.hub.away = True
    with pytest.raises(HubAway):
        await desk.router().step()
    assert len(desk.hub.asked) == 8
