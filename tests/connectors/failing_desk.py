"""A hub that fails (500) at what it is told to, and the loops of a connector before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.answering import ReplySender
from connectors.applying import Applier
from connectors.entries import Seen
from connectors.errors import HubAway, HubFailed, NotNow
from connectors.inbox import Inbox
from connectors.outbox import Outbox
from connectors.pauses import FAILS_AT_ALL, Postponed
from connectors.replies import Replies, Reply
from connectors.reporter_words import ReporterSender
from connectors.routing import Router, Routing
from connectors.spool import Spool

CAP_S = 8.0
NOW = "2026-03-11T08:00:00+07:00"


def uuid(number: int) -> str:
    return f"0197d2a4-6f3e-7c21-9b0a-{number:012d}"


class FailingHub:
    """Fails (500) wherever one of the ids in `bad` stands in the path."""

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.away = False
        self.asked: list[tuple[str, str]] = []
        self.taken: list[tuple[str, str]] = []

    async def post(self, path: str, body: Mapping[str, Any], idempotency_key: str = "") -> dict[str, Any]:
        _, _, _, found, act = path.split("/")
        self.asked.append((found, act))
        self._fail(found)
        self.taken.append((found, act))
        return {}

    async def case(self, case_id: str) -> dict[str, Any]:
        self.asked.append((case_id, "case"))
        self._fail(case_id)
        return {"status": "submitted", "forwardings": [{"id": case_id, "to": "dinas", "status": "accepted"}]}

    def _fail(self, found: str) -> None:
        if self.away:
            raise HubAway("the hub answers 503")
        if found in self.bad:
            raise HubFailed("the hub answers 500 Internal error")

    def asked_of(self, number: int) -> int:
        return sum(1 for found, _ in self.asked if found == uuid(number))


class Desk:
    """The loops of a connector over a real spool and a hub that fails, with a clock of their own."""

    def __init__(self, spool: Spool) -> None:
        self.spool, self.hub, self.now_s = spool, FailingHub(), 1000.0
        self.replies, self.outbox, self.inbox = Replies(spool), Outbox(spool), Inbox(spool)
        self.count = 0

    def postponed(self) -> Postponed:
        return Postponed(CAP_S, lambda: self.now_s)

    def sender(self) -> ReplySender:
        hub: Any = self.hub
        return ReplySender(hub, self.spool, self.replies, "dinas", self.postponed())

    def reporter(self) -> ReporterSender:
        hub: Any = self.hub
        return ReporterSender(hub, self.spool, self.outbox, self.replies, self.postponed())

    def router(self) -> Router:
        hub: Any = self.hub
        return Router(hub, self.outbox, Routing(verify=True, default=["dinas"]), self.postponed())

    def applier(self) -> Applier:
        async def handle(event: dict[str, Any]) -> str:
            await self.hub.case(event["subject"])
            self.hub.taken.append((event["subject"], event["id"]))
            return ""

        return Applier(self.spool, self.inbox, handle, lambda: self.now_s, CAP_S)

    def says(self, action: str, **fields: str) -> None:
        """One more reply of the agency's system, after those before it."""
        self.count += 1
        self.replies.take(Reply(f"row-{self.count}", action, **fields), f"2026-03-11T08:{self.count:06d}")

    def has_sent(self, number: int) -> None:
        """A complaint that the hub has, and that is to be routed."""
        reference = f"{number:03d}"
        self.outbox.queue(Seen(reference, reference, b"r", b"m", f"{NOW}{reference}"), b"{}", [], ["dinas"])
        self.outbox.acknowledge(reference, uuid(number), routed=True)

    def routed(self) -> set[str]:
        return {entry.reference for entry in self._entries() if entry.route_state == "done"}

    def _entries(self) -> list[Any]:
        return list(self.outbox.find([f"{number:03d}" for number in range(1, 200)]).values())


async def patiently(step: Any, desk: Desk, rounds: int = 60) -> None:
    """As its loop does it: a step that cannot go on is tried again, and the clock runs."""
    for _ in range(rounds):
        try:
            await step()
        except NotNow as error:
            assert str(error) == FAILS_AT_ALL
        desk.now_s += 0.5
