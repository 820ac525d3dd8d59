"""The running hub that is fuzzed: two agencies, some cases in different states, and no webhook that is ever
sent (the api role alone), since fuzzers make up addresses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.calls import Api
from tests.chaos.complaints import complaint
from tests.parts.hub import HubProcess

SOURCE, MINISTRY = "pemkab-kotim", "kemen-pu"
CASES = 6


@dataclass
class Target:
    """`ids` holds what is there, by the word that stands before it in a path."""

    hub: HubProcess
    clients: tuple[Api, ...]
    ids: dict[str, list[str]] = field(default_factory=dict)

    def known(self, path: str) -> list[str]:
        """Ids that this path's {id} could mean; none when its kind is unknown."""
        return next((ids for word, ids in self.ids.items() if f"/{word}/{{" in path), [])

    def alive(self) -> bool:
        process = self.hub.process
        return process is not None and process.poll() is None and self.hub.ready()


@contextmanager
def target(folder: Path) -> Iterator[Target]:
    folder.mkdir(parents=True, exist_ok=True)
    hub = HubProcess(folder, roles="api")
    members = (
        hub.member(SOURCE, "Pemkab Kotawaringin Timur", "--kind", "regency", "--region", "62.02"),
        hub.member(MINISTRY, "Kementerian Pekerjaan Umum", "--kind", "ministry"),
        hub.client("hub", "--scope", "agencies:write"),
    )
    try:
        hub.start()
        clients = tuple(Api(hub.port, member) for member in members)
        found = Target(hub, clients)
        _furnish(found)
        yield found
    finally:
        hub.kill()


def _furnish(found: Target) -> None:
    source, ministry, _ = found.clients
    cases, legs = [], []
    for number in range(CASES):
        case = source.call("POST", "/v1/complaints", complaint(SOURCE, f"awal-{number}", number)).document
        cases.append(case["id"])
        if number:
            source.call("POST", f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
        if number > 1:
            to = {"to": [{"agency": MINISTRY, "role": "lead"}]}
            sent = source.call("POST", f"/v1/cases/{case['id']}/forwardings", to).document
            legs.append(sent["items"][0]["id"])
        if number > 3:
            ministry.call("POST", f"/v1/forwardings/{legs[-1]}/acceptance", {})
    picture = b"\x89PNG\r\n\x1a\n" + bytes(64)
    kept = source.send("POST", "/v1/attachments", picture, {"Content-Type": "image/png"})
    found.ids = {"cases": cases, "forwardings": legs, "agencies": [SOURCE, MINISTRY, "hub"]}
    if kept.status == 201:
        found.ids["attachments"] = [kept.document["id"]]
