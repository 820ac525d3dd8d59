"""Clients of two processes at one case at once, on PostgreSQL: one chain results, and its clocks agree."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from hub.domain.commands import Accept, Answer, Return, Verify, Withdraw
from hub.errors import Problem
from tests.service.hubworld import KOTIM, PLN, PUPR, HubWorld, principal, statuses

pytestmark = pytest.mark.postgres
Acts = Sequence[tuple[Any, str]]


async def at_once(hubs: tuple[HubWorld, HubWorld], here: Acts, there: Acts) -> list[Any]:
    async with hubs[0].serving() as one, hubs[1].serving() as other:
        acts = [
            hub.act(principal(agency), command)
            for hub, commands in ((one, here), (other, there))
            for command, agency in commands
        ]
        return await asyncio.gather(*acts, return_exceptions=True)


def open_clocks(world: HubWorld, case_id: str) -> list[tuple[str, str]]:
    clocks = world.read(lambda s: s.case(case_id)).state.clocks
    return sorted((each.stage, each.agency) for each in clocks if each.is_open and not each.shown_only)


async def test_fifty_clients_forward_the_same_case(hubs: tuple[HubWorld, HubWorld]) -> None:
    here, there = hubs
    case_id = here.submitted()
    here.do(here.request(Verify(case_id, "accept")))
    commands = [
        [(world.forwarding(case_id, (PUPR if number % 2 else PLN, "lead")), KOTIM) for number in range(25)]
        for world in hubs
    ]
    results = await at_once(hubs, *commands)
    assert sorted(statuses(results)) == [201] + [409] * 49
    (leg,) = here.read(lambda s: s.case(case_id)).state.legs
    assert open_clocks(there, case_id) == [("acceptance", leg.to), ("follow_up", leg.to)]
    assert here.difference() is None


async def test_two_officers_accept_and_return_at_once(hubs: tuple[HubWorld, HubWorld]) -> None:
    case_id, leg = hubs[0].forwarded()
    results = await at_once(hubs, [(Accept(case_id, leg), PUPR)], [(Return(case_id, leg, "not_ours"), PUPR)])
    refused = [result for result in results if isinstance(result, Problem)]
    state = hubs[1].read(lambda s: s.case(case_id)).state
    assert len(refused) in (0, 1), "accepted first, it may still be returned"
    assert {problem.extra["state"] for problem in refused} <= {"returned"}
    assert state.legs[0].status == "returned"
    assert open_clocks(hubs[0], case_id) == [("verification", KOTIM)], "the owner's turn again"


async def test_a_withdrawal_races_an_answer(hubs: tuple[HubWorld, HubWorld]) -> None:
    case_id, leg = hubs[0].forwarded()
    hubs[0].do(hubs[0].request(Accept(case_id, leg), PUPR))
    results = await at_once(
        hubs, [(Withdraw(case_id, leg, "Salah."), KOTIM)], [(Answer(case_id, leg, "Sudah."), PUPR)]
    )
    assert sorted(statuses(results)) == [200, 409]
    (loser,) = [result for result in results if isinstance(result, Problem)]
    state = hubs[1].read(lambda s: s.case(case_id)).state
    assert loser.extra["state"] == state.legs[0].status
    stage = "closure" if state.status == "answered" else "verification"
    assert open_clocks(hubs[1], case_id) == [(stage, KOTIM)]
