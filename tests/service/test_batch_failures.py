"""Crashing commands, refused rows, a full disk, kill -9: who is harmed, and what is left."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.domain.commands import Link, Verify
from hub.service.overlay import Staged
from hub.service.requests import Outcome, Request
from hub.service.staging import Recorder
from tests.service.hubworld import KOTIM, PLN, PUPR, HubWorld, principal, statuses
from tests.service.recording import recorded

ROOT = Path(__file__).parents[2]

# --- crashes and refused rows -----------------------------------------------------------------------


def test_a_crashing_command_beside_healthy_ones(world: HubWorld) -> None:
    case_id = world.submitted()
    crashing = world.request(Verify(case_id, "mungkin", "Bukan keputusan."), key="crash")
    results = world.run(
        world.submission("A"), crashing, Request(principal(KOTIM), object()), world.submission("B"),  # type: ignore[arg-type]
        world.request(Verify(case_id, "accept")),
    )  # fmt: skip
    assert statuses(results) == [201, 500, 500, 201, 200]
    assert world.version(case_id) == 2
    (again,) = world.run(replace(crashing, command=Verify(case_id, "accept")))
    assert again.status == 409, "its key was not taken: the command was decided, not replayed"
    assert world.difference() is None


def test_a_command_that_crashes_between_two_events_leaves_neither(world: HubWorld) -> None:
    """The first recipient is fine; the second one's role makes the header impossible to write."""
    case_id = world.submitted()
    world.do(world.request(Verify(case_id, "accept")))
    broken = world.forwarding(case_id, (PUPR, "lead"), (PLN, "support"))
    broken = replace(broken, to=(broken.to[0], replace(broken.to[1], role="\ud800")))
    results = world.run(world.request(broken), world.request(world.forwarding(case_id, (PLN, "lead"))))
    assert statuses(results) == [500, 201]
    assert world.version(case_id) == 3
    assert [leg.to for leg in world.read(lambda s: s.case(case_id)).state.legs] == [PLN]
    assert world.difference() is None


def test_a_link_that_crashes_between_its_two_sides_leaves_neither(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a link could never be undone: that needs both sides."""
    one, other = world.submitted("A"), world.submitted("B")
    real, streams = Recorder.record, list[str]()

    def crashing(self: Recorder, staged: Staged, *more: Any) -> None:
        streams.append(staged.stream)
        if len(streams) == 2:
            raise KeyError("a defect")
        real(self, staged, *more)

    monkeypatch.setattr(Recorder, "record", crashing)
    (result,) = world.run(world.request(Link(one, other, "related")))
    assert (result.status, streams) == (500, [one, other])
    assert [world.version(each) for each in (one, other)] == [1, 1]
    assert world.difference() is None


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_row_that_the_database_refuses_stands_alone(world: HubWorld, place: int) -> None:
    """The culprit's case id is taken already, so that the log refuses its first event."""
    taken, before = world.submitted("TAKEN"), world.last_position()
    batch = [world.submission(f"B-{n}") for n in range(8)]
    culprit = batch[place]
    batch[place] = replace(culprit, command=replace(culprit.command, case_id=taken))
    results, commits = world.core.runner.run(batch)
    assert statuses(results) == [500 if n == place else 201 for n in range(8)]
    positions = [p for commit in commits for p in range(commit.first, commit.last + 1)]
    assert positions == list(range(before + 1, before + 8))
    assert world.version(taken) == 1
    assert world.difference() is None
    (again,) = world.run(world.submission(f"B-{place}"))
    assert again.status == 201, "the refused one left no reference behind"


def test_the_culprit_is_found_by_halving_and_by_nothing_else(world: HubWorld) -> None:
    """A batch of 8 with one culprit takes at most 1 + 2 * log2(8) transactions."""
    taken = world.submitted("TAKEN")
    batch = [world.submission(f"B-{n}") for n in range(8)]
    batch[5] = replace(batch[5], command=replace(batch[5].command, case_id=taken))
    runner, calls = recorded(world)
    runner.run(batch)
    assert [name for name, _ in calls].count("look_up") == 7


def test_two_commands_that_repeat_a_refused_row_are_both_refused(world: HubWorld) -> None:
    taken = world.submitted("TAKEN")
    broken = [world.submission(f"B-{n}") for n in range(2)]
    broken = [replace(request, command=replace(request.command, case_id=taken)) for request in broken]
    assert statuses(world.run(broken[0], world.submission("OK"), broken[1])) == [500, 201, 500]


# --- a database that cannot write -------------------------------------------------------------------


def test_a_full_disk_is_503_for_all_and_over_by_itself(world: HubWorld) -> None:
    case_id = world.submitted()
    long = "Sudah tiga malam gelap. " * 800
    batch = [world.submission(f"B-{n}", description=long) for n in range(20)]
    batch.append(world.request(Verify(case_id, "accept"), key="a"))
    before = world.last_position()
    with world.full_disk():
        for _ in range(2):
            results, commits = world.core.runner.run(batch)
            assert statuses(results) == [503] * 21
            assert all(r.retry_after_s for r in results)
            assert commits == []
        assert world.last_position() == before
    assert statuses(world.run(*batch)) == [201] * 20 + [200]
    assert world.difference() is None


CHILD = """
import os, signal, sys
from pathlib import Path
from typing import Any
from hub.store.sqlite.transaction import SqliteTransaction
from hub.service.intake import ComplaintCodes
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas
from tests.service.hubworld import *

real, moment = SqliteTransaction.commit, sys.argv[2]

def commit(self):
    if moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(self)
    if moment == "after":
        os.kill(os.getpid(), signal.SIGKILL)

with hub_world(Path(sys.argv[1]), ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())) as world:
    request = world.submission("KILLED", key="k")
    SqliteTransaction.commit = commit
    print(world.do(request).ids[0], flush=True)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_nothing_is_answered_before_the_commit(
    world_factory: Callable[[str], HubWorld], tmp_path: Path, moment: str
) -> None:
    """A real process is killed right before or right after its COMMIT. In neither case was anything answered;
    repeating the request gives one case."""
    world = world_factory("data")
    before = world.last_position()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "data"), moment],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert child.stdout == ""
    assert world.last_position() - before == {"before": 0, "after": 1}[moment]
    (again,) = world.run(world.submission("KILLED", key="k"))
    assert isinstance(again, Outcome)
    assert (again.status, again.replayed) == (201, moment == "after")
    assert world.last_position() == before + 1
    assert world.difference() is None
