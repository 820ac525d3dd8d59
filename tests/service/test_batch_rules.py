"""The rules of the batch transaction (DESIGN decision 2), each by its name."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from auth.scopes import DEFAULT_SCOPES
from hub.app import Core
from hub.domain.agency import Agency
from hub.domain.commands import Accept, Answer, Close, Return, Verify
from hub.errors import Problem
from hub.service.batch import BatchRunner
from hub.service.decide import Decider
from hub.service.rebuild import verify_chains
from hub.service.requests import ChangeAgency, Outcome, RegisterAgency, Request
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, STRANGER, HubWorld, principal, statuses

ROOT = Path(__file__).parents[2]


@dataclass
class Recording:
    """A real transaction whose calls are written down."""

    inner: Any
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, arguments[0] if arguments else None))
            return getattr(self.inner, name)(*arguments)

        return call


@dataclass
class RecordingStore:
    store: Any
    calls: list[tuple[str, Any]] = field(default_factory=list)

    @contextmanager
    def begin(self) -> Iterator[Recording]:
        with self.store.begin() as txn:
            yield Recording(txn, self.calls)


def recorded(world: HubWorld) -> tuple[BatchRunner, list[tuple[str, Any]]]:
    core: Core = world.core
    store = RecordingStore(core.store)
    return BatchRunner(store, Decider(core.sealer, core.ids), core.sealer, world.clock), store.calls  # type: ignore[arg-type]


# --- order ------------------------------------------------------------------------------------------------


def test_order_of_locks(world: HubWorld) -> None:
    """Keys, then references, then cases and the rest, each group sorted; the tail last; then write, commit."""
    cases = [world.submitted(f"OLD-{n}", KOTIM if n % 2 else MEDAN) for n in range(4)]
    batch = [world.request(Verify(case_id, "accept"), key=f"k{case_id}") for case_id in reversed(cases)]
    batch += [world.submission(f"NEW-{n}", MEDAN if n % 2 else KOTIM, key=f"n{n}") for n in (3, 1, 2)]
    runner, calls = recorded(world)
    runner.run(batch)
    names = [name for name, _ in calls]
    expected = ["reserve_keys", "reserve_references", "load_cases", "load_heads", "load_keys", "load_agencies"]
    expected += ["inactive_clients", "load_files", "tail", "mailbox_heads", "write", "commit"]
    assert names == expected
    for name, given in calls:
        if name not in ("tail", "write", "commit"):
            assert list(given) == sorted(given), name
    groups = dict(calls)
    assert len(groups["reserve_keys"]) == len(batch)
    assert groups["load_cases"] == sorted(cases)


def test_a_batch_of_refusals_writes_nothing(world: HubWorld) -> None:
    runner, calls = recorded(world)
    results, events = runner.run([world.request(Verify("tidak-ada", "accept"))])
    assert (statuses(results), events) == ([404], [])
    assert not {"tail", "write", "commit"} & {name for name, _ in calls}


def test_states_are_loaded_once_for_a_whole_batch(world: HubWorld) -> None:
    case_id = world.submitted()
    runner, calls = recorded(world)
    runner.run([world.request(Verify(case_id, "incomplete", f"Ulangi {n}.")) for n in range(20)])
    assert [name for name, _ in calls].count("load_cases") == 1


# --- overlay ----------------------------------------------------------------------------------------------


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


# --- idempotency and references -----------------------------------------------------------------------------


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
    results = world.run(*(world.submission("PGD-7") for _ in range(3)))
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


# --- crashes and refused rows -------------------------------------------------------------------------------


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


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_row_that_the_database_refuses_stands_alone(world: HubWorld, place: int) -> None:
    """The culprit's case id is taken already, so that the log refuses its first event."""
    taken, before = world.submitted("TAKEN"), world.last_position()
    batch = [world.submission(f"B-{n}") for n in range(8)]
    culprit = batch[place]
    batch[place] = replace(culprit, command=replace(culprit.command, case_id=taken))
    results, events = world.core.runner.run(batch)
    assert statuses(results) == [500 if n == place else 201 for n in range(8)]
    assert [event.position for event in events] == list(range(before + 1, before + 8))
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
    assert [name for name, _ in calls].count("reserve_references") == 7


def test_two_commands_that_repeat_a_refused_row_are_both_refused(world: HubWorld) -> None:
    taken = world.submitted("TAKEN")
    broken = [world.submission(f"B-{n}") for n in range(2)]
    broken = [replace(request, command=replace(request.command, case_id=taken)) for request in broken]
    assert statuses(world.run(broken[0], world.submission("OK"), broken[1])) == [500, 201, 500]


# --- a database that cannot write -----------------------------------------------------------------------------


def test_a_full_disk_is_503_for_all_and_over_by_itself(world: HubWorld) -> None:
    case_id = world.submitted()
    long = "Sudah tiga malam gelap. " * 800
    batch = [world.submission(f"B-{n}", description=long) for n in range(20)]
    batch.append(world.request(Verify(case_id, "accept"), key="a"))
    before = world.last_position()
    with world.full_disk():
        for _ in range(2):
            results, events = world.core.runner.run(batch)
            assert statuses(results) == [503] * 21
            assert all(r.retry_after_s for r in results)
            assert events == []
        assert world.last_position() == before
    assert statuses(world.run(*batch)) == [201] * 20 + [200]
    assert world.difference() is None


CHILD = """
import os, signal, sys
from pathlib import Path
from hub.store.writing import SqliteTransaction
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


# --- rights, versions, registry ------------------------------------------------------------------------------


def test_rights_are_decided_on_the_loaded_state(world: HubWorld) -> None:
    case_id, leg = world.forwarded((PUPR, "lead"))
    narrow = principal(PUPR, frozenset({"cases:read"}))
    results = world.run(
        world.request(Accept(case_id, leg), STRANGER),
        world.request(Verify(case_id, "accept"), STRANGER),
        world.request(Verify(case_id, "accept"), PUPR),
        world.request(Close(case_id, "archived"), PUPR),
        world.request(Accept(case_id, leg), KOTIM),
        Request(narrow, Accept(case_id, leg)),
        world.request(Return(case_id, leg, "not_ours"), PUPR),
        world.request(Verify(case_id, "accept"), PUPR),
        world.request(Accept(case_id, leg), PUPR),
    )
    assert statuses(results) == [404, 404, 403, 403, 403, 403, 200, 403, 409]


def test_a_strangers_404_is_the_same_as_for_what_never_existed(world: HubWorld) -> None:
    case_id, _ = world.forwarded()
    hidden, absent = world.run(
        world.request(Verify(case_id, "accept"), STRANGER), world.request(Verify("0" * 36, "accept"), STRANGER)
    )
    assert hidden.document() == absent.document()


def test_if_match_is_the_version_in_the_transaction(world: HubWorld) -> None:
    case_id = world.submitted()
    results = world.run(
        world.request(Verify(case_id, "incomplete", "Kurang."), if_match=1),
        world.request(Verify(case_id, "accept"), if_match=1),
        world.request(Verify(case_id, "accept"), if_match=2),
    )
    assert statuses(results) == [200, 412, 200]
    assert results[1].extra == {"version": 2}


def test_checks_come_in_the_contracts_order(world: HubWorld) -> None:
    """404, 403, 422, 412, 409, each while everything after it would be wrong as well."""
    case_id = world.submitted()
    wrong = world.forwarding(case_id, ("tidak-ada", "lead"))
    right = world.forwarding(case_id, (PUPR, "lead"))
    results = world.run(
        world.request(wrong, STRANGER, if_match=9),
        Request(principal(KOTIM, frozenset()), wrong, if_match=9),
        world.request(wrong, if_match=9),
        world.request(right, if_match=9),
        world.request(right, if_match=1),
    )
    assert statuses(results) == [404, 403, 422, 412, 409]


def test_a_revoked_client_is_refused_inside_the_transaction(world: HubWorld) -> None:
    case_id = world.submitted()
    request = world.request(Verify(case_id, "accept"))
    world.core.rows.revoke_client(request.principal.client_id, "2025-03-14T02:00:00.000Z")
    unknown = replace(principal(KOTIM), client_id="client_unknown")
    results = world.run(request, Request(unknown, request.command), world.submission("X", MEDAN))
    assert statuses(results) == [401, 401, 201]


def test_an_inactive_agency_is_refused_inside_the_transaction(world: HubWorld) -> None:
    case_id = world.submitted()
    request = world.request(Verify(case_id, "accept"))
    world.core.operate(ChangeAgency(KOTIM, {"active": False}))
    (result,) = world.run(request)
    assert (result.status, result.type_code) == (403, "agency-inactive")


def test_a_suggested_agency_must_be_there(world: HubWorld) -> None:
    case_id, leg = world.forwarded()
    (result,) = world.run(world.request(Return(case_id, leg, "not_ours", None, "tidak-ada"), PUPR))
    assert [pointer for pointer, _ in result.flaws] == ["/suggested_agency"]


def test_a_file_must_have_been_uploaded(world: HubWorld) -> None:
    file = {"sha256": "ab" * 32, "media_type": "image/png", "size": 4}
    case_id, leg = world.forwarded()
    results = world.run(
        world.submission("F", attachments=[file | {"name": "foto.png"}]),
        world.request(Answer(case_id, leg, "Lihat foto.", (file,), ("foto.png",)), PUPR),
    )
    assert [[pointer for pointer, _ in r.flaws] for r in results] == [["/attachments/0/sha256"]] * 2


def test_only_who_may_registers_agencies(world: HubWorld) -> None:
    results = world.run(world.request(RegisterAgency(Agency("x", "X", "unit"))))
    assert statuses(results) == [403]


def test_an_agencys_events_are_a_chain_of_their_own(world: HubWorld) -> None:
    for name in ("Satu", "Dua", "Dua"):
        world.core.operate(ChangeAgency(PLN, {"name": name}))
    events = world.read(lambda s: s.stream(f"agency/{PLN}", 0, 9))
    assert [event.fact().type for event in events] == ["agency.registered", "agency.changed", "agency.changed"]
    verify_chains(lambda after, limit: world.read(lambda s: s.events_after(after, limit)))
    with pytest.raises(Problem):
        world.core.operate(ChangeAgency("tidak-ada", {"name": "X"}))
