"""What coordination costs beside intake: one forwarding with three legs, one acceptance and one answer, three
requests, against three complaints taken in by the same hub in the same run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.bench import contenders
from tests.bench.contenders import Contender
from tests.bench.databases import Server
from tests.bench.experiments import CONNECTIONS
from tests.chaos.calls import Api
from tests.parts.hub import HubProcess

LEAD: Final = "kemenpu"
SUPPORTS: Final = ("pemprov-kalteng", "kemenhub")
STEPS: Final = ("forwarding", "acceptance", "answer")
MANNERS: Final = {f"{CONNECTIONS} at once": CONNECTIONS, "one by one": 1}
"""Intake as the other parts measure it, and an officer who waits for each answer."""
SHARE: Final = 4
"""One by one, so many times fewer cases."""
LEGS: Final = [{"agency": LEAD, "role": "lead"}, *({"agency": name, "role": "support"} for name in SUPPORTS)]
FORWARDING: Final = {"to": LEGS, "note": "Ruas jalan ini kewenangan pusat; mohon ditangani bersama."}
ANSWER: Final = {
    "text": "Tim sudah menambal lubang di kedua sisi jalan pada 3 November; lampu diganti dinas perhubungan."
}
SECONDS: Final = 120.0
Steps = dict[str, dict[str, Any]]


@dataclass
class Inbox:
    """An agency's mailbox, read on from where it was left."""

    api: Api
    after: int = 0

    def new(self, kind: str) -> list[dict[str, Any]]:
        """The events of this type that came since."""
        found: list[dict[str, Any]] = []
        while (page := self.api.call("GET", f"/v1/mailbox?after={self.after}&limit=200").document)["items"]:
            found += [each["event"] for each in page["items"]]
            self.after = page["next"]
        return [event for event in found if event["type"] == f"id.simpul.{kind}.v1"]


@dataclass
class Team:
    """The owner and the lead, both callers of one hub."""

    owner: Contender
    lead: Contender
    connections: int = CONNECTIONS
    submitted: Inbox = field(init=False)
    sent: Inbox = field(init=False)

    def __post_init__(self) -> None:
        assert self.owner.api is not None and self.lead.api is not None
        self.submitted, self.sent = Inbox(self.owner.api), Inbox(self.lead.api)


def coordination(folder: Path, rounds: int, count: int, server: Server | None = None) -> dict[str, Any]:
    """By manner, of each round: what intake and each step cost a request. No webhook is subscribed."""
    with contenders.hub(folder, webhook=False, server=server) as (owner, process):
        team = Team(owner, _lead(owner, process))
        found: dict[str, Any] = {}
        for prefix, (manner, connections) in zip(("cm", "co"), MANNERS.items(), strict=True):
            team.connections = connections
            cases = count if connections > 1 else max(count // SHARE, 1)
            found[manner] = _rounds(team, rounds, cases, prefix)
        return found


def _lead(owner: Contender, process: HubProcess) -> Contender:
    for name, kind, *more in ((SUPPORTS[0], "province", "--region", "62"), (SUPPORTS[1], "ministry")):
        process.desk("agency", "add", name, "--name", name.title(), "--kind", kind, *more)
    member = process.member(LEAD, "Kementerian PU", "--kind", "ministry")
    return Contender("lead", process.port, owner.pids, None, Api(process.port, member))


def _rounds(team: Team, rounds: int, count: int, prefix: str) -> list[Steps]:
    """Each round takes in the cases of the next one, before and after the steps by turns, so that a drift of
    the machine strikes both; the first round warms up."""
    stock, _ = _taken_in(team, count, f"{prefix}-sto")
    found = []
    for number in range(rounds + 1):
        if number % 2:
            coming, intake = _taken_in(team, count, f"{prefix}-{number:03d}")
            steps = _steps(team, stock)
        else:
            steps = _steps(team, stock)
            coming, intake = _taken_in(team, count, f"{prefix}-{number:03d}")
        stock = coming
        if number:
            found.append({"intake": intake} | steps)
    return found


def _taken_in(team: Team, count: int, prefix: str) -> tuple[list[str], dict[str, Any]]:
    """New cases, verified, which no coordinator is timed for; and what their intake cost."""
    intake = _driven(team, team.owner, count, prefix=prefix)
    cases = [event["subject"] for event in team.submitted.new("complaint.submitted")]
    body = orjson.dumps({"decision": "accept"}).decode()
    _driven(team, team.owner, len(cases), posts=[(f"/v1/cases/{case}/verification", body) for case in cases])
    return cases, intake


def _steps(team: Team, cases: list[str]) -> Steps:
    count, body = len(cases), orjson.dumps(FORWARDING).decode()
    posts = [(f"/v1/cases/{case}/forwardings", body) for case in cases]
    found = {"forwarding": _driven(team, team.owner, count, posts=posts)}
    sent = [event["data"]["forwarding"] for event in team.sent.new("forwarding.sent")]
    legs = [leg["id"] for leg in sent if leg["to"] == LEAD]
    for step, document in (("acceptance", {}), ("answer", ANSWER)):
        body = orjson.dumps(document).decode()
        posts = [(f"/v1/forwardings/{leg}/{step}", body) for leg in legs]
        found[step] = _driven(team, team.lead, count, posts=posts)
    return found


def _driven(team: Team, who: Contender, count: int, **members: Any) -> dict[str, Any]:
    """`count` requests, each of which succeeded; `wall_us` a request, as they went side by side."""
    posts = members.get("posts")
    if posts is not None and len(posts) != count:
        raise RuntimeError(f"{len(posts)} requests are known of {count} cases")
    connections = min(team.connections, count)
    seen = who.drive(connections=connections, count=count, seconds=SECONDS, **members)
    if seen["good"] != count:
        raise RuntimeError(f"{seen['good']} of {count} requests succeeded: {seen['statuses']}")
    seen["wall_us"] = seen["seconds"] / count * 1e6
    return seen
