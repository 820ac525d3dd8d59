"""The load: processes that submit, verify, forward, accept and answer, and write down what they were told.

python -m tests.chaos.clients ROLE FOLDER: reads FOLDER/plan.json, writes FOLDER/ROLE.journal, ends when the
file FOLDER/stop appears. Roles: singles-N, batches-N, officer or officer-N, ministry or ministry-N."""

from __future__ import annotations

import random
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from tests.chaos.calls import Api, NoAnswer, Reply
from tests.chaos.complaints import complaint
from tests.chaos.journal import Journal
from tests.parts.caller import Member

WAIT_S: Final = 0.05
PATIENCE_S: Final = 60.0
BEHIND_S: Final = 1.0
"""A client that fell behind its pace makes up for so much of it."""
BATCH_LINES: Final = (5, 40)
LEAVE_UNKNOWN: Final = 0.3
REPEAT: Final = 0.05
"""How often a reference without an answer is left as it is, and an acknowledged one is sent again."""


class Stopped(Exception):
    """The run is over; what has no answer yet stays unknown."""


@dataclass
class Client:
    """What every role has: an API, a journal, a random source, and the end of the run."""

    role: str
    folder: Path
    api: Api
    journal: Journal
    random: random.Random
    pause_s: float
    most: int
    ministry: str
    patience_s: float = PATIENCE_S
    share: float = 0.2
    colleagues: int = 1
    paced: bool = False
    due: float = 0.0

    def rest(self, count: int = 1) -> None:
        """`pause_s` a complaint: after it, or (paced) from one to the next, however long each took."""
        if not self.paced:
            time.sleep(self.pause_s * count)
            return
        now = time.monotonic()
        self.due = max(self.due, now - BEHIND_S) + self.pause_s * count
        time.sleep(max(0.0, self.due - now))

    def mine(self, subject: str) -> bool:
        """Several officers share the cases of an agency."""
        return zlib.crc32(subject.encode()) % self.colleagues == int(self.role.partition("-")[2] or 1) - 1

    def stopped(self) -> bool:
        return (self.folder / "stop").exists()

    def until_answered(self, call: Callable[[], Reply]) -> Reply:
        """Tries again while the hub is away or busy; an act is repeated with its Idempotency-Key."""
        deadline = time.monotonic() + self.patience_s
        while True:
            try:
                reply = call()
                if reply.status not in (429, 503):
                    return reply
            except NoAnswer:
                pass
            if self.stopped() or time.monotonic() > deadline:
                raise Stopped
            time.sleep(WAIT_S)

    def surprised(self, what: str, reply: Reply) -> None:
        self.journal.note("surprise", role=self.role, what=what, said=reply.said())


def singles(client: Client) -> None:
    """One complaint a request."""
    agency, acknowledged = client.api.member.agency, []
    for number in range(client.most):
        if client.stopped():
            return
        reference = f"{client.role}-{number:06d}"
        if _submit(client, agency, reference, number):
            acknowledged.append((reference, number))
        if acknowledged and client.random.random() < REPEAT:
            _submit(client, agency, *client.random.choice(acknowledged))
        client.rest()


def _submit(client: Client, agency: str, reference: str, number: int) -> bool:
    document = complaint(agency, reference, number)
    client.journal.note("sent", reference=reference)
    try:
        reply = client.api.call("POST", "/v1/complaints", document)
    except NoAnswer:
        client.journal.note("unanswered", reference=reference)
        if client.random.random() < LEAVE_UNKNOWN:
            return False
        reply = client.until_answered(lambda: client.api.call("POST", "/v1/complaints", document))
    if reply.status in (200, 201):
        client.journal.note("ack", reference=reference, case=reply.document["id"], status=reply.status)
        return True
    if reply.status not in (429, 503):
        client.surprised(f"POST /v1/complaints {reference}", reply)
    return False


def batches(client: Client) -> None:
    """Many complaints a request, an answer a line; one line in a batch may be bad and harms no other."""
    agency, number = client.api.member.agency, 0
    while number < client.most and not client.stopped():
        count = client.random.randint(*BATCH_LINES)
        references = [f"{client.role}-{n:06d}" for n in range(number, number + count)]
        documents = [complaint(agency, reference, n) for n, reference in enumerate(references, number)]
        _submit_batch(client, references, documents)
        number += count
        client.rest(count)


def _submit_batch(client: Client, references: list[str], documents: list[dict[str, Any]]) -> None:
    for reference in references:
        client.journal.note("sent", reference=reference)
    try:
        reply = client.api.lines("/v1/complaints/batch", documents)
    except NoAnswer:
        for reference in references:
            client.journal.note("unanswered", reference=reference)
        if client.random.random() < LEAVE_UNKNOWN:
            return
        reply = client.until_answered(lambda: client.api.lines("/v1/complaints/batch", documents))
    if reply.status != 200 or len(reply.lines) != len(references):
        if reply.status not in (429, 503):
            client.surprised(f"a batch of {len(references)}", reply)
        return
    for reference, line in zip(references, reply.lines, strict=True):
        if line["status"] in (200, 201):
            client.journal.note("ack", reference=reference, case=line["case_id"], status=line["status"])
        elif line["status"] not in (429, 503):
            client.journal.note("surprise", role=client.role, what=reference, said=str(line))


def officer(client: Client) -> None:
    """The source agency: verifies some of its complaints and forwards them to the ministry."""

    def handle(event: dict[str, Any]) -> None:
        if not event["type"].endswith("complaint.submitted.v1") or client.random.random() > client.share:
            return
        case = event["subject"]
        to = {"to": [{"agency": client.ministry, "role": "lead"}]}
        _act(client, case, f"/v1/cases/{case}/verification", {"decision": "accept"}, "complaint.verified")
        _act(client, case, f"/v1/cases/{case}/forwardings", to, "forwarding.sent")

    _follow_mailbox(client, handle)


def ministry(client: Client) -> None:
    """Accepts and answers what is forwarded to it."""

    def handle(event: dict[str, Any]) -> None:
        if not event["type"].endswith("forwarding.sent.v1"):
            return
        case, leg = event["subject"], event["data"]["forwarding"]["id"]
        text = {"text": "Sudah ditambal oleh regu pemeliharaan, terima kasih atas laporannya."}
        _act(client, case, f"/v1/forwardings/{leg}/acceptance", {}, "forwarding.accepted")
        _act(client, case, f"/v1/forwardings/{leg}/answer", text, "forwarding.answered")

    _follow_mailbox(client, handle)


def _follow_mailbox(client: Client, handle: Callable[[dict[str, Any]], None]) -> None:
    after = 0
    while not client.stopped():
        path = f"/v1/mailbox?after={after}&limit=100&wait=1"
        reply = client.until_answered(lambda path=path: client.api.call("GET", path))  # type: ignore[misc]
        if reply.status != 200:
            client.surprised(path, reply)
            time.sleep(WAIT_S)
            continue
        for item in reply.document["items"]:
            seen = {"agency": client.api.member.agency, "event": item["event"]["id"]}
            client.journal.note("seen", position=item["position"], **seen)
            if client.mine(item["event"]["subject"]):
                handle(item["event"])
            if client.stopped():
                return
        after = reply.document["next"]


def _act(client: Client, case: str, path: str, document: dict[str, Any], kind: str) -> None:
    headers = {"Idempotency-Key": f"{client.random.getrandbits(128):032x}"}
    client.journal.note("trying", case=case, type=kind)
    reply = client.until_answered(lambda: client.api.call("POST", path, document, headers))
    if reply.status in (200, 201):
        client.journal.note("act", case=case, type=kind)
    else:
        client.surprised(path, reply)


ROLES: Final = {"singles": singles, "batches": batches, "officer": officer, "ministry": ministry}


def main() -> None:
    role, folder = sys.argv[1], Path(sys.argv[2])
    plan = orjson.loads((folder / "plan.json").read_bytes())
    kind = role.partition("-")[0]
    member = Member(**plan["ministry" if kind == "ministry" else "source"])
    journal = Journal(folder / f"{role}.journal")
    client = Client(
        role=role,
        folder=folder,
        api=Api(plan["port"], member, plan.get("timeout_s", 20.0), plan.get("more_ports", ())),
        journal=journal,
        random=random.Random(f"{plan['seed']} {role}"),
        pause_s=plan["pauses_s"].get(kind, 0.0) if "pauses_s" in plan else plan["pause_s"],
        most=plan["most"],
        ministry=plan["ministry"]["agency"],
        patience_s=plan.get("patience_s", PATIENCE_S),
        share=plan.get("share", 0.2),
        colleagues=plan.get("colleagues", 1),
        paced="pauses_s" in plan,
    )
    try:
        ROLES[kind](client)
    except Stopped:
        journal.note("stopped", role=role)
    finally:
        client.api.close()
        journal.close()


if __name__ == "__main__":
    main()
