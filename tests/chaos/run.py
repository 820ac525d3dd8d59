"""One chaos run: load, kill -9, restart, and the reckoning."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from tests.chaos import checks
from tests.chaos.calls import Api
from tests.chaos.knowledge import Knowledge
from tests.parts.caller import Member
from tests.parts.hub import ROOT, HubFailed, HubProcess
from tests.parts.local_server import free_port

ROLES: Final = ("singles-1", "singles-2", "batches-1", "officer", "ministry")
DURING_START: Final = 0.1
"""How often the hub is killed again while it still starts."""
CATCH_UP_S: Final = 30.0
END_S: Final = 90.0


@dataclass(frozen=True)
class Plan:
    """`most`: complaints a client at the most; `pause_s` between two of them; `get`: cases that are read one
    by one at the end."""

    kills: int = 100
    seed: int = 1
    between_s: tuple[float, float] = (0.2, 1.5)
    most: int = 40_000
    pause_s: float = 0.004
    get: int = 3000


@dataclass
class Report:
    """Counts for the table, and every flaw."""

    kills: int = 0
    kills_during_start: int = 0
    seconds: float = 0.0
    start_s: list[float] = field(default_factory=list)
    subscribed_at: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)


def chaos(folder: Path, plan: Plan) -> Report:
    """Runs it all in `folder`; the report's `flaws` are empty when nothing was lost."""
    began, report = time.monotonic(), Report()
    hub = HubProcess(folder / "hub")
    hub.folder.mkdir()
    source = hub.member("pemkab-kotim", "Pemkab Kotawaringin Timur", "--kind", "regency", "--region", "62.02")
    ministry = hub.member("kemen-pu", "Kementerian Pekerjaan Umum", "--kind", "ministry")
    received = folder / "received.txt"
    with processes() as spawn:
        port = free_port()
        spawn("tests.chaos.receiver", str(port), str(received))
        hub.start()
        try:
            members = (source, ministry)
            for member in members:
                path = f"http://127.0.0.1:{port}/{member.agency}"
                report.subscribed_at[member.agency] = subscribe(Api(hub.port, member), path)
            _write_plan(folder, hub, plan, source, ministry)
            clients = [spawn("tests.chaos.clients", role, str(folder)) for role in ROLES]
            _kill_again_and_again(hub, plan, report)
            end_load(folder, clients, report.flaws)
            reckon(hub, members, Knowledge.read(folder), received, plan, report)
        finally:
            hub.kill()
    report.seconds = time.monotonic() - began
    return report


def subscribe(api: Api, url: str) -> int:
    """The last mailbox position before the webhook, which brings what comes after it."""
    last = max((entry.position for entry in checks.pull(api)), default=0)
    reply = api.call("PUT", "/v1/webhook", {"url": url, "event_types": ["*"]})
    if reply.status != 200:
        raise HubFailed(f"PUT /v1/webhook: {reply.said()}")
    api.close()
    return last


def _write_plan(folder: Path, hub: HubProcess, plan: Plan, source: Member, ministry: Member) -> None:
    document: dict[str, Any] = {"port": hub.port, "source": asdict(source), "ministry": asdict(ministry)}
    document |= {"seed": plan.seed, "pause_s": plan.pause_s, "most": plan.most}
    (folder / "plan.json").write_bytes(orjson.dumps(document))


def _kill_again_and_again(hub: HubProcess, plan: Plan, report: Report) -> None:
    chance = random.Random(plan.seed)
    while report.kills < plan.kills:
        time.sleep(chance.uniform(*plan.between_s))
        hub.kill()
        report.kills += 1
        if report.kills < plan.kills and chance.random() < DURING_START:
            hub.start(wait=False)
            time.sleep(chance.uniform(0.05, 0.9))
            hub.kill()
            report.kills += 1
            report.kills_during_start += 1
        began = time.monotonic()
        hub.start()
        report.start_s.append(time.monotonic() - began)
    time.sleep(plan.between_s[1])


def end_load(folder: Path, clients: list[subprocess.Popen[bytes]], flaws: list[str]) -> None:
    """Clients end by themselves; one that does not, or that crashed, is a flaw of the run."""
    (folder / "stop").touch()
    for client in clients:
        if client.wait(END_S):
            flaws.append(f"a client crashed: {client.args!r}, exit {client.returncode}")


def reckon(
    hub: HubProcess,
    members: tuple[Member, Member],
    known: Knowledge,
    received: Path,
    plan: Plan,
    report: Report,
) -> None:
    """Everything that was acknowledged is there once, in order, delivered, and tables equal the log."""
    flaws = report.flaws
    flaws += known.surprises
    apis = [Api(hub.port, member) for member in members]
    boxes = [checks.pull(api) for api in apis]
    for api, box in zip(apis, boxes, strict=True):
        flaws += checks.mailbox_order(api, box, known.seen[api.member.agency])
    present, lost = checks.acknowledged_once(known, boxes[0])
    flaws += lost
    flaws += checks.submissions(apis[0], known, present)
    flaws += checks.listed(apis[0], present)
    flaws += checks.gettable(apis[0], present, plan.get, plan.seed)
    flaws += checks.acts_once(known, boxes[0])
    repeats = 0
    for member, box in zip(members, boxes, strict=True):
        due = box[report.subscribed_at[member.agency] :]
        wait_for_webhooks(member.agency, len(due), received)
        again, undelivered = checks.delivered(member.agency, due, received)
        repeats += again
        flaws += undelivered
    try:
        events = hub.run("rebuild", "--check")["events"]
    except HubFailed as failed:
        events = 0
        flaws.append(str(failed))
    report.counts = {
        "complaints sent": len(known.sent),
        "complaints acknowledged": len(known.cases),
        "of them without an answer at first": len(known.unanswered),
        "there without an acknowledgement": len(present.keys() - known.cases.keys()),
        "acts acknowledged": len(known.acts),
        "mailbox entries": sum(map(len, boxes)),
        "webhooks received": len(received.read_text().splitlines()),
        "webhooks repeated with the same id": repeats,
        "events in the log": events,
    }


def wait_for_webhooks(agency: str, count: int, received: Path, within_s: float = CATCH_UP_S) -> None:
    """Until so many different webhook ids came, or none more come for `within_s`."""
    deadline, best = time.monotonic() + within_s, 0
    while best < count and time.monotonic() < deadline:
        lines = received.read_text().splitlines()
        found = len({line.split(" ")[1] for line in lines if line.startswith(f"/{agency} ")})
        if found > best:
            best, deadline = found, time.monotonic() + within_s
        else:
            time.sleep(0.2)


@contextmanager
def processes() -> Iterator[Any]:
    """Starts modules as processes, and ends those that are left."""
    started: list[subprocess.Popen[bytes]] = []

    def spawn(*module: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", *module], cwd=ROOT)
        started.append(process)
        return process

    try:
        yield spawn
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
            process.wait()
