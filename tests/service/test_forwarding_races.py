"""Several at once on one case: one wins, the others get the present state; and tables equal a rebuild."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.domain.agency import HUB, Agency
from hub.domain.commands import Accept, Advise, Answer, Consult, Return, Withdraw
from hub.errors import Problem
from hub.service.requests import ChangeAgency, RegisterAgency
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, HubWorld, principal, statuses


async def all_at_once(world: HubWorld, *commands: tuple[Any, str]) -> list[Any]:
    async with world.serving() as hub:
        acts = [hub.act(principal(agency), command) for command, agency in commands]
        return await asyncio.gather(*acts, return_exceptions=True)


async def test_two_officers_accept_and_return_at_once(world: HubWorld) -> None:
    case_id, leg = world.forwarded()
    results = await all_at_once(world, (Accept(case_id, leg), PUPR), (Return(case_id, leg, "not_ours"), PUPR),
                                (Accept(case_id, leg), PUPR))  # fmt: skip
    refused = [result for result in results if isinstance(result, Problem)]
    state = world.read(lambda session: session.case(case_id)).state
    assert all(problem.status == 409 for problem in refused)
    assert {problem.extra["state"] for problem in refused} <= {"accepted", "returned"}
    assert len(results) - len(refused) == state.version - 3, "each that took effect is one event"
    assert sum(leg.status in ("accepted", "returned") for leg in state.legs) == 1


async def test_a_withdrawal_races_an_answer(world: HubWorld) -> None:
    case_id, leg = world.forwarded()
    world.do(world.request(Accept(case_id, leg), PUPR))
    results = await all_at_once(
        world, (Withdraw(case_id, leg, "Salah."), KOTIM), (Answer(case_id, leg, "Sudah."), PUPR)
    )
    assert sorted(statuses(results)) == [200, 409]
    (loser,) = [result for result in results if isinstance(result, Problem)]
    assert loser.extra["state"] == world.read(lambda session: session.case(case_id)).state.legs[0].status


async def test_fifty_forward_the_same_case(world: HubWorld) -> None:
    case_id = world.forwarded(reference="PGD-9")[0]
    leg = world.read(lambda session: session.case(case_id)).state.legs[0].id
    world.do(world.request(Withdraw(case_id, leg, "Salah."), KOTIM))
    commands = [(world.forwarding(case_id, (PUPR if n % 2 else PLN, "lead")), KOTIM) for n in range(50)]
    results = await all_at_once(world, *commands)
    assert sorted(statuses(results)) == [201] + [409] * 49
    held = world.read(lambda session: session.case(case_id)).state.open_legs()
    assert [leg.role for leg in held] == ["lead"], "one chain"
    assert world.difference() is None


@pytest.mark.parametrize("at_once", [True, False])
def test_three_returns_pass_the_case_up_in_one_batch_or_three(world: HubWorld, at_once: bool) -> None:
    """The ancestors are there whichever way the commands come; and a rebuild needs no registry."""
    world.core.operate(RegisterAgency(Agency("pemprov", "Pemprov", "province", "62")))
    for name in (KOTIM, PLN):
        world.core.operate(ChangeAgency(name, {"parent": "pemprov"}))
    case_id, first = world.forwarded((PUPR, "lead"))
    second = world.forwarding(case_id, (MEDAN, "lead"))
    third = world.forwarding(case_id, (PLN, "lead"))
    requests = [
        world.request(Return(case_id, first, "not_ours"), PUPR),
        world.request(second),
        world.request(Return(case_id, second.to[0].leg_id, "not_ours"), MEDAN),
        world.request(third),
        world.request(Return(case_id, third.to[0].leg_id, "not_ours"), PLN),
    ]
    if at_once:
        assert statuses(world.run(*requests)) == [200, 201, 200, 201, 200]
    else:
        world.do(*requests)
    state = world.read(lambda session: session.case(case_id)).state
    assert (state.owner, state.former_owners) == ("pemprov", (KOTIM,))
    world.core.operate(ChangeAgency(KOTIM, {"parent": HUB}))
    assert world.difference() is None, "another parent today changes nothing that was decided"


def test_a_consultation_survives_a_rebuild(world: HubWorld) -> None:
    case_id = world.forwarded()[0]
    asked = world.core.ids.new()
    world.do(world.request(Consult(case_id, asked, PLN, "Aset Anda?"), KOTIM),
             world.request(Advise(case_id, asked, "partly", None, "Tiangnya saja."), PLN))  # fmt: skip
    case = world.read(lambda session: session.case(case_id))
    assert (case.texts.consultations[asked].question, case.texts.consultations[asked].text) == (
        "Aset Anda?", "Tiangnya saja.",
    )  # fmt: skip
    assert world.read(lambda session: session.case_of_leg(asked)) == case_id
    assert world.difference() is None
