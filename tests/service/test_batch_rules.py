"""The rules of the batch transaction, each by its name."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from auth.scopes import DEFAULT_SCOPES
from hub.domain.agency import Agency
from hub.domain.commands import Accept, Answer, Close, Verify
from hub.service.requests import ChangeAgency, Outcome, RegisterAgency, Request
from tests.service.hubworld import KOTIM, MEDAN, PUPR, HubWorld, principal, statuses
from tests.service.recording import recorded

# --- order ------------------------------------------------------------------------------------------


def test_order_of_locks(world: HubWorld) -> None:
    """Locks, then all that is known beforehand at once, each group sorted; the tail last; then write,
    commit."""
    cases = [world.submitted(f"OLD-{n}", KOTIM if n % 2 else MEDAN) for n in range(4)]
    batch = [world.request(Verify(case_id, "accept"), key=f"k{case_id}") for case_id in reversed(cases)]
    batch += [world.submission(f"NEW-{n}", MEDAN if n % 2 else KOTIM, key=f"n{n}") for n in range(12, 0, -1)]
    runner, calls = recorded(world)
    runner.run(batch)
    names = [name for name, _ in calls]
    assert names == ["lock", "look_up", "load_files", "tail", "mailbox_heads", "write", "commit"]
    groups = dict(calls)
    for given in (groups["lock"], groups["load_files"], groups["mailbox_heads"]):
        assert list(given) == sorted(given)
    wanted = asdict(groups["look_up"])
    for name, given in wanted.items():
        assert list(given) == sorted(set(given)), name
    assert len(wanted["remembered"]) == len(batch)
    assert len(wanted["references"]) == 12
    assert wanted["cases"] == wanted["heads"] == wanted["keys"] == groups["lock"] == sorted(cases)
    assert wanted["agencies"] == sorted({KOTIM, MEDAN})


def test_a_batch_of_refusals_writes_nothing(world: HubWorld) -> None:
    runner, calls = recorded(world)
    results, commits = runner.run([world.request(Verify("tidak-ada", "accept"))])
    assert (statuses(results), commits) == ([404], [])
    assert not {"tail", "write", "commit"} & {name for name, _ in calls}


def test_states_are_loaded_once_for_a_whole_batch(world: HubWorld) -> None:
    case_id = world.submitted()
    runner, calls = recorded(world)
    runner.run([world.request(Verify(case_id, "incomplete", f"Ulangi {n}.")) for n in range(20)])
    assert [name for name, _ in calls].count("look_up") == 1


# --- overlay ----------------------------------------------------------------------------------------


def test_overlay_several_commands_on_one_case_in_a_batch(world: HubWorld) -> None:
    submit = world.submission()
    case_id = submit.case_id or ""
    sent = world.forwarding(case_id, (PUPR, "lead"))
    leg = sent.to[0].leg_id
    commands = [(Verify(case_id, "accept"), KOTIM), (sent, KOTIM), (Accept(case_id, leg), PUPR)]
    commands += [(Accept(case_id, leg), PUPR), (Answer(case_id, leg, "Sudah."), PUPR)]
    commands += [(Close(case_id, "resolved"), KOTIM)]
    results = world.run(submit, *(world.request(command, agency) for command, agency in commands))
    assert statuses(results) == [201, 200, 201, 200, 409, 200, 200]
    assert [r.case.state.version for r in results if isinstance(r, Outcome)] == [1, 2, 3, 4, 6, 7]
    assert world.version(case_id) == 7
    assert world.difference() is None


def test_each_outcome_shows_the_case_as_it_stood_right_then(world: HubWorld) -> None:
    submit = world.submission()
    results = world.run(submit, world.request(Verify(submit.case_id or "", "accept")))
    assert [r.case.state.status for r in results] == ["submitted", "verified"]


def test_overlay_agencies_registered_and_used_in_one_batch(world: HubWorld) -> None:
    hub = principal("hub", DEFAULT_SCOPES | {"agencies:write"})
    hub = replace(hub, client_id="operator")
    new = Agency("dinas-baru", "Dinas Baru", "unit", parent=KOTIM)
    case_id = world.submitted()
    results = world.run(
        world.request(Verify(case_id, "accept")),
        world.request(world.forwarding(case_id, ("dinas-baru", "lead"))),
        Request(hub, RegisterAgency(new)),
        Request(hub, RegisterAgency(new)),
        world.request(world.forwarding(case_id, ("dinas-baru", "lead"))),
        Request(hub, ChangeAgency("dinas-baru", {"active": False})),
        world.request(world.forwarding(case_id, ("dinas-baru", "support"))),
    )
    assert statuses(results) == [200, 422, 201, 409, 201, 200, 422]
    assert world.difference() is None


# --- idempotency and references ---------------------------------------------------------------------


def test_repeated_key_in_a_batch_gets_the_firsts_answer(world: HubWorld) -> None:
    case_id = world.submitted()
    twice = [world.request(Verify(case_id, "accept"), key="a") for _ in range(3)]
    results = world.run(*twice)
    assert statuses(results) == [200, 200, 200]
    assert [r.replayed for r in results] == [False, True, True]
    assert world.version(case_id) == 2
    (later,) = world.run(twice[0])
    assert (later.status, later.replayed, later.ids) == (200, True, results[0].ids)


def test_repeated_reference_in_a_batch_gets_the_firsts_case(world: HubWorld) -> None:
    before = world.last_position()
    runner, calls = recorded(world)
    results, _ = runner.run([world.submission("PGD-7") for _ in range(3)])
    assert [name for name, _ in calls].count("write") == 1, "the overlay knew it; no row was refused"
    assert statuses(results) == [201, 200, 200]
    assert len({r.ids for r in results}) == 1
    assert world.last_position() == before + 1
    (later,) = world.run(world.submission("PGD-7"))
    assert (later.status, later.ids) == (200, results[0].ids)


def test_the_same_reference_of_another_agency_is_another_complaint(world: HubWorld) -> None:
    results = world.run(world.submission("PGD-7"), world.submission("PGD-7", MEDAN))
    assert statuses(results) == [201, 201]


@pytest.mark.parametrize("together", [True, False])
def test_other_body_under_the_same_key(world: HubWorld, together: bool) -> None:
    case_id = world.submitted()
    first = world.request(Verify(case_id, "accept"), key="a", body=b"1")
    other = world.request(Verify(case_id, "accept"), key="a", body=b"2")
    results = world.run(first, other) if together else world.run(first) + world.run(other)
    assert statuses(results) == [200, 422]
    assert results[1].type_code == "idempotency-key-reused"


@pytest.mark.parametrize("together", [True, False])
def test_a_refusal_leaves_the_key_reusable(world: HubWorld, together: bool) -> None:
    case_id = world.submitted()
    refused = world.request(Close("tidak-ada", "archived"), key="a", body=b"1")
    accepted = world.request(Verify(case_id, "accept"), key="a", body=b"2")
    results = world.run(refused, accepted) if together else world.run(refused) + world.run(accepted)
    assert statuses(results) == [404, 200]


def test_a_key_on_a_repeated_submission_is_remembered_as_200(world: HubWorld) -> None:
    world.submitted("PGD-1")
    results = [world.run(world.submission("PGD-1", key="a"))[0] for _ in range(2)]
    assert statuses(results) == [200, 200]
    assert [r.replayed for r in results] == [False, True]
    assert results[1].case is not None


@pytest.mark.parametrize("together", [True, False])
def test_other_content_under_the_same_reference_is_a_conflict(world: HubWorld, together: bool) -> None:
    requests = [world.submission("PGD-1"), world.submission("PGD-1", title="Judul lain")]
    results = world.run(*requests) if together else [world.run(request)[0] for request in requests]
    assert statuses(results) == [201, 409]
    assert (results[1].type_code, results[1].extra) == ("complaint-conflict", {"case_id": results[0].ids[0]})


def test_a_changed_reporter_is_other_content_too(world: HubWorld) -> None:
    world.submitted("PGD-1")
    (result,) = world.run(world.submission("PGD-1", reporter={"anonymous": True}))
    assert result.type_code == "complaint-conflict"


@pytest.mark.parametrize("title", ["Lampu jalan padam di Jalan Tjilik Riwut", "Judul lain"])
def test_an_erased_complaint_stays_erased_whatever_comes(world: HubWorld, title: str) -> None:
    """Erasing comes later; what it does to the tables is done here by hand."""
    case_id = world.submitted("PGD-1")
    world.sql("DELETE FROM stream_keys WHERE stream = ?", case_id)
    world.sql("DELETE FROM identities WHERE case_id = ?", case_id)
    (result,) = world.run(world.submission("PGD-1", title=title))
    assert (result.status, result.type_code, result.extra) == (410, "complaint-erased", {"case_id": case_id})
    assert world.version(case_id) == 1
