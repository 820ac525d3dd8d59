"""Each case's events reach the agency's system in their order and once, whatever ends when."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from connectors.delivering import DeliveryRefused
from connectors.errors import ConnectorError, SystemAway, SystemBusy
from connectors.spool import Spool, open_spool
from tests.connectors.held_system import HeldSystem, settle, stopped

CASES = "abcdefgh"


@given(st.data())
def test_each_case_keeps_its_order_whatever_ends_when(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = open_spool(Path(folder) / "connector.spool")
        try:
            asyncio.run(_any_life(spool, data))
        finally:
            spool.close()


async def _any_life(spool: Spool, data: st.DataObject) -> None:
    """Random arrivals, ends, stops and starts; then the system heals."""
    at_once = data.draw(st.integers(1, 5))
    lives = [HeldSystem(spool, at_once)]
    lives[0].holds = set(CASES)
    step: asyncio.Task[bool] | None = None
    for act in data.draw(st.lists(st.sampled_from(["arrive", "end", "end", "end", "wait", "start"]))):
        system = lives[-1]
        if act == "arrive":
            system.arrive(*data.draw(st.lists(st.sampled_from(CASES), min_size=1, max_size=6)))
        elif act == "wait":
            system.now_s += data.draw(st.sampled_from([0.5, 2.0, 3600.0]))
        elif act == "end" and system.calls:
            ending = data.draw(st.sampled_from(_endings()))
            system.calls[data.draw(st.sampled_from(sorted(system.calls)))].set_result(ending)
        elif act == "start":
            await stopped(step)
            lives.append(_next_life(spool, system, at_once))
            step = None
        if step is None or step.done():
            await stopped(step)
            step = asyncio.create_task(lives[-1].applier.step())
        await settle(20)
        assert len(lives[-1].calls) <= at_once
    await stopped(step)
    await _heals(lives[-1])
    _check_taken(lives)


def _next_life(spool: Spool, before: HeldSystem, at_once: int) -> HeldSystem:
    assert before.calls == {}, "nothing goes on when it was stopped"
    system = HeldSystem(spool, at_once)
    system.now_s, system.count, system.holds = before.now_s, before.count, set(CASES)
    system.inbox.revive()
    return system


async def _heals(system: HeldSystem) -> None:
    system.holds = None
    for _ in range(60):
        await system.rounds()
        system.now_s += 3600.0
    assert system.inbox.counts() == ({"done": system.count} if system.count else {})


def _check_taken(lives: list[HeldSystem]) -> None:
    taken = [name.split("-") for system in lives for name in system.got]
    assert len(taken) == lives[-1].count, "all, and none twice"
    for case in CASES:
        numbers = [int(number) for name, number in taken if name == case]
        assert numbers == sorted(set(numbers))


def _endings() -> list[Exception | None]:
    return [
        None,
        SystemAway("answers 500"),
        SystemBusy("answers 429", 30.0),
        DeliveryRefused("answers 422"),
        ConnectorError("the database refuses it"),
    ]
