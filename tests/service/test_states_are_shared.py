"""A state that the writer remembers is handed from one command to the next, and to whoever answers: nobody
may change it, and it is what its row says, to the byte."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from hub.domain.case import CaseState
from hub.domain.commands import Accept, Answer
from hub.service.requests import Outcome
from hub.service.views import case_view
from hub.store.recent_states import RECENT_STATES
from tests.service.hubworld import KOTIM, PUPR, HubWorld

PARTS: list[dict[str, object]] = [{}, {"confidential": True}]


def row_of(world: HubWorld, case_id: str) -> bytes:
    with world.core.store.connection() as connection:
        state: bytes = connection.execute("SELECT state FROM cases WHERE id = ?", (case_id,)).fetchone()[0]
    return state


def require_unchanged(world: HubWorld, case_id: str) -> None:
    row = row_of(world, case_id)
    remembered = RECENT_STATES.read(case_id, row)
    assert (
        RECENT_STATES.read(case_id, row) is remembered
    )  # else it was parsed anew, and nothing is tried here
    assert orjson.dumps(remembered) == row
    assert remembered == CaseState.from_document(orjson.loads(row))


@pytest.mark.parametrize("changes", PARTS, ids=["open", "confidential"])
def test_a_whole_life_leaves_the_state_as_its_row_says(world: HubWorld, changes: dict[str, object]) -> None:
    case_id = world.whole_life(**changes)
    require_unchanged(world, case_id)
    assert world.difference() is None


def test_who_shows_a_state_changes_nothing_of_it(world: HubWorld) -> None:
    case_id, leg_id = world.forwarded()
    case = world.do(world.request(Accept(case_id, leg_id), PUPR)).case
    assert case is not None
    for agency in (KOTIM, PUPR):
        case_view(case, agency, datetime.now(UTC), reporter_name="Zulkarnaen")
    require_unchanged(world, case_id)


def test_a_refused_command_leaves_the_remembered_state_alone(world: HubWorld) -> None:
    case_id, leg_id = world.forwarded()
    before = row_of(world, case_id)
    (refused,) = world.run(world.request(Answer(case_id, leg_id, "Belum diterima."), PUPR))
    assert not isinstance(refused, Outcome)
    assert row_of(world, case_id) == before
    require_unchanged(world, case_id)
