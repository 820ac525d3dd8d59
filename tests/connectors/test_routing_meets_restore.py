"""A complaint that is being routed while the hub is found to have been restored: its routing starts anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.channel import Channel
from connectors.entries import Entry, Seen
from connectors.errors import HubRefused
from connectors.outbox import Outbox
from connectors.pauses import Postponed
from connectors.reconciling import Reconciler
from connectors.routing import Router, Routing
from connectors.spool import Spool, open_spool

BEFORE, AFTER = "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11", "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a12"
ROUTING = Routing(verify=True, default=["kemenpu"])
NOW = "2026-03-11T08:00:00+07:00"
GONE = HubRefused(404, "about:blank", "Not found", "")
UNVERIFIED = HubRefused(409, "about:blank", "Conflict", "")


class RestoredHub:
    """The cases that a restore left, by id; what happens at the connector while a request is on its way."""

    def __init__(self, **status: str) -> None:
        self.cases: dict[str, str] = status
        self.meanwhile: Callable[[], object] = lambda: None

    async def post(self, path: str, body: Mapping[str, Any], idempotency_key: str = "") -> dict[str, Any]:
        _, _, _, case_id, act = path.split("/")
        assert idempotency_key
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if case_id not in self.cases:
            raise GONE
        if act == "verification":
            self.cases[case_id] = "verified"
        elif self.cases[case_id] == "submitted":
            raise UNVERIFIED
        else:
            assert body["to"]
            self.cases[case_id] = "forwarded"
        return {}

    async def case(self, case_id: str) -> dict[str, Any]:
        return {"status": self.cases[case_id], "forwardings": []}

    async def listing(self, path: str) -> dict[str, Any]:
        wanted = path.split("status=")[1].split("&")[0]
        found = [case_id for case_id, status in self.cases.items() if status == wanted]
        return {"items": [{"id": case_id, "forwardings": []} for case_id in found]}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    spool: Spool = open_spool(tmp_path / "connector.spool")
    made = Outbox(spool)
    made.queue(Seen("2", "2", b"row", b"map", NOW), b"{}", [], ["kemenpu"])
    made.acknowledge("2", BEFORE, routed=True)
    yield made
    spool.close()


def router_of(hub: RestoredHub, outbox: Outbox) -> Router:
    made: Any = hub
    channel: Channel = made
    return Router(channel, outbox, ROUTING, Postponed(1.0))


def reconciler_of(hub: RestoredHub, outbox: Outbox) -> Reconciler:
    made: Any = hub
    return Reconciler(made, outbox._spool, outbox)


def entry_of(outbox: Outbox) -> Entry:
    return outbox.find(["2"])["2"]


def test_what_the_hub_lacks_is_routed_by_its_new_case(outbox: Outbox) -> None:
    hub = RestoredHub()
    hub.meanwhile = lambda: outbox.lose(["2"])
    asyncio.run(router_of(hub, outbox).step())
    assert (entry_of(outbox).state, entry_of(outbox).route_state) == ("held", "none")
    outbox.queue(Seen("2", "2", b"row", b"map", NOW), b"{}", [], ["kemenpu"])
    outbox.acknowledge("2", AFTER, routed=True)
    hub.cases[AFTER] = "submitted"
    asyncio.run(router_of(hub, outbox).step())
    assert (hub.cases, entry_of(outbox).route_state) == ({AFTER: "forwarded"}, "done")


@pytest.mark.parametrize("found", ["before the answer", "after the answer"])
def test_a_verification_that_the_restore_lost_is_made_again(outbox: Outbox, found: str) -> None:
    outbox.routed(entry_of(outbox), "forward")
    hub = RestoredHub(**{BEFORE: "submitted"})
    reconciler, router = reconciler_of(hub, outbox), router_of(hub, outbox)

    async def run() -> None:
        if found == "before the answer":
            again = []
            hub.meanwhile = lambda: again.append(asyncio.ensure_future(reconciler.route_again()))
            case = hub.case

            async def after_the_comparison(case_id: str) -> dict[str, Any]:
                await asyncio.gather(*again)
                return await case(case_id)

            hub.case = after_the_comparison  # type: ignore[method-assign]
            await router.step()
        else:
            await router.step()
            assert entry_of(outbox).route_state == "failed"
            assert await reconciler.route_again() == 1
        await router.step()

    asyncio.run(run())
    assert (hub.cases, entry_of(outbox).route_state) == ({BEFORE: "forwarded"}, "done")


def test_what_was_forwarded_after_the_backup_is_forwarded_again(outbox: Outbox) -> None:
    outbox.routed(entry_of(outbox), "done")
    hub = RestoredHub(**{BEFORE: "verified"})
    assert asyncio.run(reconciler_of(hub, outbox).route_again()) == 1
    asyncio.run(router_of(hub, outbox).step())
    assert (hub.cases, entry_of(outbox).route_state) == ({BEFORE: "forwarded"}, "done")
