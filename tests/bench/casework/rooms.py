"""What coordination threads cost: posting a message beside taking in a complaint, and opening a thread of
10,000 messages at its last page beside one of 100. One hub, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson

from tests.bench import contenders
from tests.bench.casework.coordination import LEAD, SECONDS, Inbox
from tests.bench.contenders import Contender
from tests.bench.databases import Server
from tests.bench.experiments import CONNECTIONS
from tests.bench.figures import Bar, median, table

MESSAGE: Final = {
    "text": "Pintu air Bagendang dibuka pukul enam; mohon petugas kecamatan memberi tahu warga di hilir.",
    "scope": "agencies",
}
LENGTHS: Final = (100, 10_000)
Found = dict[str, Any]


def rooms(folder: Path, rounds: int, count: int, requests: int, server: Server | None = None) -> Found:
    """`count` messages a round, over as many threads as there are connections; `requests` readings."""
    with contenders.hub(folder, webhook=False, server=server) as (owner, process):
        assert owner.api is not None
        process.member(LEAD, "Kementerian PU", "--kind", "ministry")
        taken = _driven(owner, CONNECTIONS, prefix="ro-sto")
        cases = [event["subject"] for event in Inbox(owner.api).new("complaint.submitted")][:CONNECTIONS]
        if len(cases) < CONNECTIONS:
            raise RuntimeError(f"{len(cases)} of {taken['good']} complaints were found in the mailbox")
        threads = [_room(owner, case) for case in cases]
        costs = {"intake": [], "message": []}
        for number in range(rounds + 1):
            intake = _driven(owner, count, prefix=f"ro-{number:03d}")
            posted = _posted(owner, [threads[place % CONNECTIONS] for place in range(count)])
            if number:
                costs["intake"].append(intake)
                costs["message"].append(posted)
        return {"costs": costs, "pages": _pages(owner, cases[0], rounds, requests)}


def _room(owner: Contender, case_id: str) -> str:
    """A thread over the case; a consultation gives the other agency its part in it."""
    assert owner.api is not None
    for path, body in (
        (f"/v1/cases/{case_id}/verification", {"decision": "accept"}),
        (f"/v1/cases/{case_id}/consultations", {"agency": LEAD, "question": "Apakah sungai ini milik Anda?"}),
    ):
        said = owner.api.call("POST", path, body)
        if said.status not in (200, 201):
            raise RuntimeError(said.said())
    opened = owner.api.call(
        "POST", "/v1/threads", {"subject": "Banjir", "cases": [case_id], "participants": [LEAD]}
    )
    if opened.status != 201:
        raise RuntimeError(opened.said())
    return str(opened.document["id"])


def _posted(owner: Contender, threads: list[str]) -> Found:
    body = orjson.dumps(MESSAGE).decode()
    return _driven(owner, len(threads), posts=[(f"/v1/threads/{name}/messages", body) for name in threads])


def _pages(owner: Contender, case_id: str, rounds: int, requests: int) -> Found:
    """By length of the thread, of each round: what its last page costs."""
    assert owner.api is not None
    found: Found = {}
    paths = {}
    for length in LENGTHS:
        opened = owner.api.call("POST", "/v1/threads", {"subject": f"{length} pesan", "cases": [case_id]})
        name = opened.document["id"]
        _posted(owner, [name] * length)
        paths[f"{length:,}"] = f"/v1/threads/{name}/messages?order=newest&limit=50"
        found[f"{length:,}"] = []
    for number in range(rounds + 1):
        for length, path in paths.items():
            seen = owner.drive(connections=1, count=requests, seconds=SECONDS, paths=[path])
            if seen["good"] != requests:
                raise RuntimeError(f"{seen['good']} of {requests} pages came: {seen['statuses']}")
            if number:
                found[length].append(seen)
    return found


def _driven(owner: Contender, count: int, **members: Any) -> Found:
    seen = owner.drive(connections=min(CONNECTIONS, count), count=count, seconds=SECONDS, **members)
    if seen["good"] != count:
        raise RuntimeError(f"{seen['good']} of {count} requests succeeded: {seen['statuses']}")
    seen["wall_us"] = seen["seconds"] / count * 1e6
    return seen


def show_rooms(found: Found, where: str) -> None:
    columns = {"cpu_us": "processor us a request", "wall_us": "wall us a request", "p50_ms": "answer p50 ms"}
    table(f"A message{where} beside an intake", found["costs"], columns)
    pages = {"cpu_us": "processor us a request", "p50_ms": "median ms"}
    table(f"The last page{where} of a thread, messages:", found["pages"], pages)


def room_bars(found: Found, where: str) -> list[Bar]:
    made = []
    for label, key in (("processor time", "cpu_us"), ("wall", "wall_us")):
        ratio = median(found["costs"]["message"], key) / median(found["costs"]["intake"], key)
        made.append(Bar(f"a message{where}, {label} / an intake", ratio, 1.5, most=True))
    small, large = (f"{length:,}" for length in LENGTHS)
    for label, key in (("processor time", "cpu_us"), ("median time", "p50_ms")):
        ratio = median(found["pages"][large], key) / median(found["pages"][small], key)
        made.append(Bar(f"last page{where} of {large} messages / {small}, {label}", ratio, 1.3, most=True))
    return made
