"""One transaction destroys all by which a case could be read again; tables equal a rebuild all the time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.commands import Close, Erase, Reply, Return, Verify
from hub.domain.threads.commands import OpenThread, PostMessage
from hub.errors import Forbidden, NotFound, PreconditionFailed, Problem, StateConflict
from hub.service.rebuild import LogBroken
from hub.store.files import FileTables
from tests.erasure.erasurework import REASON, ErasureWorld
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, STRANGER, statuses


def test_what_is_left_of_a_case(world: ErasureWorld) -> None:
    case_id = world.told()
    assert world.difference() is None
    before = world.read(lambda s: s.case(case_id)).state
    outcome = world.erase(case_id)
    case = world.read(lambda s: s.case(case_id))
    assert outcome.case is not None
    assert case == outcome.case
    state = case.state
    assert (case.texts, state.erased, state.status, state.closed_at) == (
        None,
        True,
        "closed",
        state.updated_at,
    )
    assert (state.version, state.owner, state.legs) == (before.version + 1, before.owner, before.legs)
    assert all(not clock.is_open for clock in state.clocks)
    assert (state.erasure.by, state.erasure.receipts) == (KOTIM, {PUPR: None, KOTIM: None})
    assert world.count("stream_keys", "stream", case_id) == world.count("identities", "case_id", case_id) == 0
    assert world.difference() is None


def test_its_event(world: ErasureWorld) -> None:
    case_id = world.told()
    world.erase(case_id)
    (event,) = world.read(lambda s: s.stream(case_id, world.version(case_id) - 1, 9))
    fact = event.fact()
    assert (fact.type, event.sealed, fact.actor) == ("reporter.erased", None, KOTIM)
    assert (fact.data["reason"], fact.data["holders"]) == (REASON, [PUPR, KOTIM])
    assert fact.recipients == {KOTIM: "owner", PUPR: "handler"}


def test_a_rejected_or_closed_case_stays_what_it_is(world: ErasureWorld) -> None:
    rejected = world.submitted("R")
    world.do(world.request(Verify(rejected, "reject", "Bukan urusan pemerintah.")))
    assert world.erase(rejected).case.state.status == "rejected"  # type: ignore[union-attr]
    closed = world.told("C")
    world.do(world.request(Close(closed, "resolved")))
    at = world.read(lambda s: s.case(closed)).state.closed_at
    world.clock.turn(days=1)
    assert world.erase(closed).case.state.closed_at == at  # type: ignore[union-attr]


def test_twice_is_once(world: ErasureWorld) -> None:
    case_id = world.told()
    first, position = world.erase(case_id), world.last_position()
    again = world.erase(case_id)
    assert (again.status, again.case, again.replayed) == (200, first.case, True)
    assert world.last_position() == position
    assert len(world.lines()) == 1


def test_nothing_textual_can_be_added(world: ErasureWorld) -> None:
    case_id = world.told()
    world.erase(case_id)
    thread = OpenThread(world.legs.new(), "Banjir", (case_id,), (PUPR,))
    for command in (Reply(case_id, "Masih rusak."), world.forwarding(case_id, (PLN, "lead")), thread):
        (refused,) = world.run(world.request(command))
        assert isinstance(refused, StateConflict), command
    assert world.difference() is None


def test_the_same_complaint_is_gone_for_good(world: ErasureWorld) -> None:
    case_id = world.told("PGD-9")
    world.erase(case_id)
    for changes in ({}, {"title": "Lain sama sekali"}):
        (refused,) = world.run(world.submission("PGD-9", **changes))
        assert isinstance(refused, Problem)
        assert (refused.status, refused.type_code, refused.extra) == (
            410,
            "complaint-erased",
            {"case_id": case_id},
        )


def test_by_whom(world: ErasureWorld) -> None:
    case_id = world.told()
    (handler, stranger) = [
        world.run(world.request(Erase(case_id, REASON), who))[0] for who in (PUPR, STRANGER)
    ]
    assert isinstance(handler, Forbidden)
    assert isinstance(stranger, NotFound)
    assert world.lines() == []


def test_receipts(world: ErasureWorld) -> None:
    case_id = world.told()
    (early,) = world.run(world.request(_confirm(case_id), PUPR))
    assert isinstance(early, StateConflict)
    world.erase(case_id)
    world.clock.turn(hours=5)
    state = world.confirm(case_id, PUPR).case.state  # type: ignore[union-attr]
    assert state.erasure.receipts == {KOTIM: None, PUPR: state.updated_at}
    world.clock.turn(hours=5)
    again = world.confirm(case_id, PUPR)
    assert (again.replayed, again.case.state) == (True, state)  # type: ignore[union-attr]
    (event,) = world.read(lambda s: s.stream(case_id, state.version - 1, 9))
    assert event.fact().recipients == {KOTIM: "owner", PUPR: "handler"}
    assert statuses(world.run(world.request(_confirm(case_id), STRANGER))) == [404]
    assert world.difference() is None


def test_who_left_is_told_and_confirms(world: ErasureWorld) -> None:
    """It has copies still."""
    case_id, leg = world.forwarded((PLN, "lead"))
    world.do(world.request(Return(case_id, leg, "not_ours"), PLN))
    world.do(world.request(world.forwarding(case_id, (PUPR, "lead"))))
    world.erase(case_id)
    world.confirm(case_id, PLN)
    receipts = world.read(lambda s: s.case(case_id)).state.erasure.receipts
    assert [name for name, at in receipts.items() if at] == [PLN]
    assert world.read(lambda s: s.mailbox(PLN, 0, 99))[-1].event.fact().type == "reporter.erasure_receipted"
    assert world.difference() is None


def test_who_left_learns_nothing_before_an_erasure(world: ErasureWorld) -> None:
    """Of what became of the case since: neither by the state nor by the version that If-Match compares."""
    case_id, leg = world.forwarded((PLN, "lead"))
    world.do(world.request(Return(case_id, leg, "not_ours"), PLN))
    left = world.read(lambda s: s.case(case_id)).state
    world.do(world.request(world.forwarding(case_id, (PUPR, "lead"))))
    now = world.read(lambda s: s.case(case_id)).state
    assert now.version > left.version
    (refused,) = world.run(world.request(_confirm(case_id), PLN))
    assert isinstance(refused, StateConflict)
    assert refused.extra == {"state": "ended", "version": left.version, "possible": []}
    assert now.status not in refused.detail
    for given in (1, now.version):
        (stale,) = world.run(replace(world.request(_confirm(case_id), PLN), if_match=given))
        assert isinstance(stale, PreconditionFailed)
        assert stale.extra == {"version": left.version}
        assert str(now.version) not in stale.detail.replace(f"not {given}", "")
    (same,) = world.run(replace(world.request(_confirm(case_id), PLN), if_match=left.version))
    assert isinstance(same, StateConflict)
    (whole,) = world.run(world.request(_confirm(case_id), PUPR))
    assert isinstance(whole, StateConflict) and whole.extra["version"] == now.version
    world.erase(case_id)
    confirmed = world.do(replace(world.request(_confirm(case_id), PLN), if_match=left.version))
    assert confirmed.case.state.erasure.receipts[PLN] is not None  # type: ignore[union-attr]


# --- threads ------------------------------------------------------------------------------------------


def test_a_thread_goes_with_the_last_of_its_cases(world: ErasureWorld) -> None:
    one, two = world.told("A"), world.told("B")
    name = world.room(one, two)
    world.erase(one)
    thread = world.read(lambda s: s.thread(name))
    assert (thread.state.erased, thread.texts is None) == (False, False)
    assert world.difference() is None
    world.erase(two)
    thread = world.read(lambda s: s.thread(name))
    assert (thread.state.erased, thread.texts) == (True, None)
    assert world.message_words(name) == [None]
    assert world.count("stream_keys", "stream", f"thread/{name}") == 0
    (refused,) = world.run(world.request(PostMessage(name, world.legs.new(), "Halo.", "agencies")))
    assert isinstance(refused, StateConflict)
    assert world.difference() is None


def test_a_thread_opened_and_written_to_in_the_same_batch(world: ErasureWorld) -> None:
    case_id = world.told()
    name = world.legs.new()
    results = world.run(
        world.request(OpenThread(name, "Banjir", (case_id,), (PUPR,))),
        world.request(PostMessage(name, world.legs.new(), "Halo.", "agencies")),
        world.request(Erase(case_id, REASON)),
        world.request(PostMessage(name, world.legs.new(), "Masih ada?", "agencies")),
        world.request(Reply(case_id, "Masih rusak.")),
    )
    assert statuses(results) == [201, 201, 200, 409, 409]
    assert world.count("stream_keys", "stream", f"thread/{name}") == 0
    assert world.message_words(name) == [None]
    assert world.difference() is None


# --- files --------------------------------------------------------------------------------------------


def test_a_file_goes_with_the_last_case_that_names_it(world: ErasureWorld) -> None:
    attached = [world.uploaded()]
    one = world.submitted("A", attachments=attached)
    two = world.submitted("B", attachments=attached)
    files = FileTables(world.core.store)
    world.erase(one)
    assert files.unheld() == []
    world.erase(two)
    (gone,) = files.unheld()
    assert gone.sha256 == attached[0]["sha256"]
    assert [(h.stream_key, h.wrapped.wrapped) for h in files.holders(gone.sha256)] == [(None, b"")] * 2


# --- the check ----------------------------------------------------------------------------------------


def test_a_missing_key_without_an_erasure_is_found(world: ErasureWorld) -> None:
    case_id = world.told()
    world.erase_key(case_id)
    with pytest.raises(LogBroken, match="never erased"):
        world.difference()


@pytest.mark.parametrize("of", ["case", "thread"])
def test_a_key_that_should_be_gone_is_found(world: ErasureWorld, of: str) -> None:
    case_id = world.told()
    stream = case_id if of == "case" else f"thread/{world.room(case_id)}"
    key = world.read(lambda s: s.keys([stream]))[stream]
    world.erase(case_id)
    world.sql("INSERT INTO stream_keys VALUES (?, ?, ?)", stream, key.generation, key.wrapped)
    with pytest.raises(LogBroken, match="can be opened"):
        world.difference()


def test_a_thread_key_lost_beside_one_erased_case_of_two_is_found(world: ErasureWorld) -> None:
    one, two = world.told("A"), world.told("B")
    name = world.room(one, two)
    world.erase(one)
    world.erase_key(f"thread/{name}")
    with pytest.raises(LogBroken, match="never erased"):
        world.difference()


def _confirm(case_id: str) -> object:
    from hub.domain.commands import ConfirmErasure

    return ConfirmErasure(case_id)


__all__ = ["MEDAN"]
