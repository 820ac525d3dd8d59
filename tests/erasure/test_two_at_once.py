"""Others write to the case while it is erased: in another process of the hub, over the same database."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from hub.app_core import Core, open_core
from hub.domain.commands import Erase
from hub.domain.threads.commands import PostMessage
from hub.errors import Held
from hub.service.intake import ComplaintCodes
from hub.service.requests import Request
from hub.settings import Settings
from tests.erasure.erasurework import MASKED, REASON, erasure_world
from tests.service.hubworld import KOTIM, PLN, PUPR, principal

ROUNDS = 12


def patiently(core: Core, request: Request) -> Any:
    """As the writer does with what another process holds: in its next batch."""
    while True:
        (result,), _ = core.runner.run([request])
        if not isinstance(result, Held):
            return result


def at_once(*jobs: Any) -> list[Any]:
    gate, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(number: int) -> None:
        gate.wait()
        results[number] = jobs[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_forwarding_and_an_erasure(settings: Settings, codes: ComplaintCodes) -> None:
    """Either the forwarding was first, and its agency holds a copy; or it is a 409."""
    with erasure_world(settings, codes) as world, open_core(settings, world.clock) as other:
        for number in range(ROUNDS):
            case_id = world.told(f"P-{number}")
            world.do(world.request(_reopen(case_id)))
            sent = world.request(world.forwarding(case_id, (PLN, "support"), note=MASKED[3]))
            erase = Request(principal(KOTIM), Erase(case_id, REASON))
            forwarded, erased = at_once(
                lambda r=sent: patiently(world.core, r), lambda r=erase: patiently(other, r)
            )
            state = world.read(lambda s, name=case_id: s.case(name)).state
            assert (erased.status, state.erased) == (200, True)
            assert forwarded.status in (201, 409)
            assert (PLN in state.erasure.receipts) == (forwarded.status == 201)
        assert world.difference() is None


def test_a_message_and_the_erasures_of_both_cases(settings: Settings, codes: ComplaintCodes) -> None:
    """The thread goes with whichever is the last; nothing written to it meanwhile stays."""
    with erasure_world(settings, codes) as world, open_core(settings, world.clock) as other:
        for number in range(ROUNDS):
            one, two = world.told(f"A-{number}"), world.told(f"B-{number}")
            name = world.room(one, two)
            post = world.request(PostMessage(name, world.legs.new(), "Tambahan.", "agencies"), PUPR)
            first, second = [Request(principal(KOTIM), Erase(each, REASON)) for each in (one, two)]
            posted, *erased = at_once(
                lambda r=post: patiently(world.core, r),
                lambda r=first: patiently(other, r),
                lambda r=second: patiently(world.core, r),
            )
            assert posted.status in (201, 409)
            assert [each.status for each in erased] == [200, 200]
            assert world.read(lambda s, name=name: s.thread(name)).texts is None
            assert set(world.message_words(name)) == {None}
            assert world.count("stream_keys", "stream", f"thread/{name}") == 0
        assert world.difference() is None


def _reopen(case_id: str) -> Any:
    from hub.domain.commands import Reopen

    return Reopen(case_id, "Rusak lagi.")


__all__ = ["pytest"]
