"""Two handovers at once, from two processes over one database; and a process that is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub.domain.commands import Return, Verify
from hub.errors import Held
from hub.settings import Settings
from tests.handover.handwork import (
    KOTIM,
    MEDAN,
    NEW,
    OFFICE,
    THIRD,
    Office,
    hand_over,
    prepared,
    request,
    summary,
)
from tests.parts import forking
from tests.service.hubworld import HubWorld

KILLED = forking.Program("killed", "tests.handover.killed_process:main", ())


def until_done(world: HubWorld, command: Any) -> Any:
    """As the writer does with what another process holds."""
    for _ in range(200):
        (result,) = world.run(request(command))
        if not isinstance(result, Held):
            return result
    raise AssertionError("another process holds it for ever")


def test_two_processes_hand_the_same_office_over_at_once(hubs: list[HubWorld], office: Office) -> None:
    here, there = hubs
    commands = prepared(here, OFFICE, NEW), prepared(there, OFFICE, THIRD)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(until_done, hubs, commands))
    assert [result.status for result in results] == [200, 200]
    (winner,) = [result for result in results if result.ids[2] != "0"]
    assert summary(here, winner)["counts"]["cases"] == 2
    to = winner.ids[1]
    assert {leg.to for leg in office.case(office.handled).legs} == {to}
    assert {each.agency for each in office.case(office.asked).consultations} == {to}
    assert office.room().state.present() == [KOTIM, to]
    assert here.difference() is None


def test_two_handovers_in_a_row_of_offices_lose_nothing(hubs: list[HubWorld], office: Office) -> None:
    """OFFICE to NEW in one process, NEW to THIRD in the other, each with what it saw before."""
    commands = prepared(hubs[0], OFFICE, NEW), prepared(hubs[1], NEW, THIRD)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(until_done, hubs, commands))
    assert office.case(office.handled).legs[0].to == NEW, "it came after NEW's own work had been listed"
    hand_over(hubs[0], NEW, THIRD)
    assert office.case(office.handled).legs[0].to == THIRD
    assert hubs[1].difference() is None


def test_a_handover_beside_other_commands_of_the_same_batch(world: HubWorld, office: Office) -> None:
    results = world.run(
        world.submission("B-1"),
        request(prepared(world)),
        world.request(Return(office.handled, office.leg, "not_ours", "Bukan kami."), OFFICE),
        request(prepared(world, MEDAN, THIRD)),
        world.request(Verify(office.owned, "accept"), MEDAN),
    )
    assert [result.status for result in results] == [201, 200, 403, 200, 403]
    assert office.case(office.owned).owner == THIRD
    assert world.difference() is None


@pytest.mark.parametrize("engine", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_a_case_in_another_processs_hands_puts_the_handover_off(hubs: list[HubWorld], office: Office) -> None:
    """SQLite has one lock for all, and waits for it."""
    here, there = hubs
    command = prepared(here)
    with there.core.store.begin() as txn:
        assert txn.lock([office.handled]) == set()
        (result,) = here.run(request(command))
    assert isinstance(result, Held)
    assert office.case(office.asked).consultations[0].agency == OFFICE, "nothing of it took effect"
    assert until_done(here, command).ids[2] != "0"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_killed_around_the_commit_leaves_all_or_nothing(
    world: HubWorld, office: Office, place: Settings, moment: str, tmp_path: Path
) -> None:
    before = world.last_position()
    arguments = [str(place.data_dir), place.database_url or "", moment]
    said = tmp_path / "said"
    with said.open("wb") as out:
        done = forking.fork_server(KILLED).start(arguments, tmp_path, os.environ, out, subprocess.STDOUT)
        assert done.wait(60) == -signal.SIGKILL, said.read_text()
    legs = {leg.to for leg in office.case(office.handled).legs}
    if moment == "before":
        assert (world.last_position(), legs) == (before, {OFFICE})
        until_done(world, prepared(world))
        legs = {leg.to for leg in office.case(office.handled).legs}
    assert world.last_position() == before + 6
    assert legs == {NEW}
    assert office.room().state.present() == [KOTIM, NEW]
    assert world.difference() is None
    assert world.run(request(prepared(world)))[0].ids[2] == "0", "sent again, there is nothing left"
