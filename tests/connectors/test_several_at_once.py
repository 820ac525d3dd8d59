"""Several cases are handed over at once: those that hang or fail hold up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connectors.errors import SystemAway, SystemBusy
from connectors.spool import Spool, open_spool
from tests.connectors.held_system import CAP_S, HeldSystem, settle, stepping

ERASED = "id.simpul.reporter.erased.v1"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = open_spool(tmp_path / "connector.spool")
    yield made
    made.close()


async def known_as_bad(system: HeldSystem, count: int, error: Exception) -> None:
    """So many cases of which it is known that the system fails at them alone."""
    system.fails = {f"bad{number}": error for number in range(count)}
    for number, name in enumerate(system.fails):
        system.arrive(name, f"good{number}")
    await system.rounds(10)
    system.arrive("last")
    await system.rounds(2)
    system.now_s += CAP_S
    assert len(system.got) == count + 1


@pytest.mark.parametrize("hanging", [1, 5, 40])
@pytest.mark.parametrize("at_once", [2, 3, 4, 32])
async def test_known_cases_at_which_it_hangs_cost_a_new_event_no_time(
    spool: Spool, at_once: int, hanging: int
) -> None:
    system = HeldSystem(spool, at_once)
    await known_as_bad(system, hanging, SystemAway("does not answer"))
    system.holds = set(system.fails)
    async with stepping(system):
        for number in range(20):
            system.arrive(f"new{number}", "good")
            await settle()
            assert {name.split("-")[0] for name in system.got[-2:]} == {f"new{number}", "good"}
        assert len(system.calls) == min(hanging, at_once // 2), "at most half of the places"
        assert set(system.calls) <= set(system.fails)


async def test_a_place_that_becomes_free_is_filled_at_once(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.holds = set("abcdef")
    system.arrive(*"abcdef", "a")
    async with stepping(system):
        assert sorted(system.calls) == [*"abcd"]
        system.calls["c"].set_result(None)
        await settle()
        assert sorted(system.calls) == [*"abde"]
        system.calls["a"].set_result(None)
        await settle()
        assert sorted(system.calls) == [*"bdef"]
    assert system.got == ["c-3", "a-1"]


async def test_one_at_once_is_one_after_the_other(spool: Spool) -> None:
    system = HeldSystem(spool, 1)
    system.arrive(*"abcabc")
    await system.rounds()
    assert system.got == ["a-1", "b-2", "c-3", "a-4", "b-5", "c-6"]
    assert system.most == 1


@pytest.mark.parametrize("at_once", [1, 4])
async def test_failing_cases_in_front_do_not_hide_that_it_takes_others(spool: Spool, at_once: int) -> None:
    system = HeldSystem(spool, at_once)
    system.fails = {f"bad{number}": SystemAway("answers 500") for number in range(30)}
    system.arrive(*system.fails, *(f"good{number}" for number in range(30)))
    await system.rounds(2)
    assert len(system.got) == 30


async def test_a_system_that_is_down_as_a_whole_is_tried_by_turns_from_both_ends(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    names = [f"case{number:02d}" for number in range(30)]
    system.fails = {name: SystemAway("answers 500") for name in names}
    system.arrive(*names)
    await system.rounds()
    tried = len(system.asked)
    assert tried < 8
    for _ in range(6):
        asked = len(system.asked)
        await system.rounds()
        assert len(system.asked) == asked + 1, "one a pause"
    left = [name for name in names if name not in {asked.split("-")[0] for asked in system.asked[:-4]}]
    probes = [name.split("-")[0] for name in system.asked[-4:]]
    assert probes in ([left[0], left[-1], left[1], left[-2]], [left[-1], left[0], left[-2], left[1]])


@pytest.mark.parametrize("at_once", [1, 4])
async def test_after_a_restart_new_ones_go_before_those_that_failed(spool: Spool, at_once: int) -> None:
    before = HeldSystem(spool, at_once)
    await known_as_bad(before, 10, SystemAway("answers 500"))
    system = HeldSystem(spool, at_once)
    system.fails, system.count = before.fails, before.count
    system.inbox.revive()
    system.arrive("new0", "new1")
    (whole,) = await system.rounds()
    assert [name.split("-")[0] for name in system.asked[:2]] == ["new0", "new1"]
    assert {name.split("-")[0] for name in system.asked[2:]} == set(system.fails), "and then they, at once"
    assert whole.until_woken, "nothing else waits: but what comes is tried at once"


async def test_what_was_set_aside_begins_anew_after_a_restart(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.arrive("a", "b")
    (a, b) = system.inbox.ready(system.now_s, 9)
    system.inbox.postpone(a.number, "answers 500", 9e9)
    system.inbox.postpone(b.number, "answers 422", 9e9)
    system.inbox.fail(b.number, "answers 422")
    assert system.inbox.revive() == 2
    found = {item.subject: item.attempts for item in system.inbox.ready(0.0, 9)}
    assert found == {"a": 1, "b": 0}


async def test_a_case_that_is_asked_to_wait_for_ever_stops_the_others_once(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.fails = {"busy": SystemBusy("answers 429", 3600.0)}
    system.arrive("busy")
    (first,) = await system.rounds()
    assert first.retry_after_s == 3600.0
    with capture_logs() as logged:
        for number in range(50):
            system.arrive(f"good{number}")
            assert await system.rounds() == []
            system.now_s += 100.0
    assert len(system.got) == 50
    assert 2 <= system.asked.count("busy-1") <= 4, "as seldom as it asked"
    assert len(logged) == 1, "it is named, and nothing else is said"


async def test_what_is_at_work_ends_before_a_system_that_is_down_is_left_alone(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.holds = set("abcdef")
    system.arrive(*"abcdef")
    async with stepping(system) as step:
        for name in "abc":
            system.calls[name].set_result(SystemAway("answers 500"))
        await settle()
        left = set(system.calls)
        assert left and not step.done()
        for name in left:
            system.calls[name].set_result(SystemAway("answers 500"))
        await settle()
        assert step.done()
        with pytest.raises(SystemAway):
            step.result()
    assert len(system.asked) == 3 + len(left), "no other was begun"
    assert system.inbox.counts() == {"pending": 6}


async def test_one_that_is_taken_meanwhile_shows_that_it_is_not_the_whole(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.holds = set("abcd")
    system.arrive(*"abcd")
    async with stepping(system) as step:
        for name in "abc":
            system.calls[name].set_result(SystemAway("answers 500"))
        await settle()
        system.calls["d"].set_result(None)
        system.arrive("e")
        await settle()
        assert system.got == ["d-4", "e-5"]
        await asyncio.wait([step])
        assert step.result(), "nothing is raised"


async def test_what_it_fails_at_while_it_takes_others_is_named_and_stops_nothing(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.holds = {"hangs"}
    system.arrive("hangs", "good")
    with capture_logs() as logged:
        async with stepping(system) as step:
            system.calls["hangs"].set_result(SystemAway("does not answer"))
            await settle()
            assert step.result(), "nothing is raised, though nothing else waits"
    assert [line["event_id"] for line in logged] == ["hangs-1"]


async def test_a_new_one_that_fails_beside_known_ones_at_work_stops_nothing(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    await known_as_bad(system, 2, SystemAway("does not answer"))
    system.arrive("good")
    await system.rounds()
    system.now_s += CAP_S
    system.holds = set(system.fails)
    async with stepping(system) as step:
        assert len(system.calls) == 2
        system.fails["new"] = SystemAway("answers 500")
        system.arrive("new")
        await settle()
        system.arrive("good")
        await settle()
        assert system.got[-1].startswith("good")
        assert not step.done()


async def test_a_cancel_in_mid_flight_leaves_everything_waiting(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.holds = set("abcdef")
    system.arrive(*"abcdef")
    async with stepping(system):
        system.calls["b"].set_result(None)
        await settle()
        assert len(system.calls) == 4
    assert system.calls == {}, "no call goes on behind it"
    assert system.inbox.counts() == {"done": 1, "pending": 5}
    assert {item.attempts for item in system.inbox.ready(system.now_s, 9)} == {0}
    system.holds = None
    await system.rounds()
    assert system.inbox.counts() == {"done": 6}


class Killed(BaseException):
    """As a signal would end it."""


@pytest.mark.parametrize("error", [RuntimeError("a programming error"), Killed(), asyncio.CancelledError()])
async def test_what_nobody_expects_is_raised_when_the_others_have_ended(
    spool: Spool, error: BaseException
) -> None:
    system = HeldSystem(spool, 4)
    system.fails = {"a": error}
    system.arrive(*"abc")
    with pytest.raises(type(error)):
        await system.applier.step()
    assert sorted(system.got) == ["b-2", "c-3"]


async def test_an_erasure_waits_for_words_of_its_case_that_are_on_their_way(spool: Spool) -> None:
    system = HeldSystem(spool, 4)
    system.holds = {"thread", "other"}
    system.arrive("thread", data={"thread_id": "thread", "cases": ["kasus7"]})
    system.arrive("other", data={"case_id": "other"})
    async with stepping(system):
        system.arrive("kasus7", type=ERASED, data={"case_id": "kasus7"})
        await settle()
        assert sorted(system.calls) == ["other", "thread"]
        system.calls["thread"].set_result(SystemAway("answers 500"))
        await settle()
        assert system.got == ["kasus7-3"]
    assert system.inbox.counts() == {"done": 2, "pending": 1}, "and they are not sent again"
