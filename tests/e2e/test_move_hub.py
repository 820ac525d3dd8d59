"""`simpul move`: a hub that has lived on SQLite goes on on PostgreSQL, and nobody who asks can tell."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.parts.caller import DIRECT, Caller, complaint
from tests.parts.hub import HubFailed, HubProcess
from tests.parts.local_server import free_port
from tests.parts.postgres import drop_database, make_database

pytestmark = pytest.mark.postgres
PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
STATES = {
    "submitted", "incomplete", "rejected", "verified", "forwarded", "in_progress", "answered", "closed",
}  # fmt: skip


@pytest.fixture
def target() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


@dataclass
class Life:
    """What a hub has lived through, and who takes part."""

    pemda: Caller
    ministry: Caller
    cases: dict[str, str]
    erased: str
    photo: str


def raw(caller: Caller, path: str) -> tuple[int, bytes]:
    """The answer as it came, byte for byte."""
    token = caller.token or caller.sign_in()
    request = urllib.request.Request(caller.url + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with DIRECT.open(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refused:
        return refused.code, b""


def upload(caller: Caller, content: bytes) -> str:
    token = caller.token or caller.sign_in()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/png"}
    request = urllib.request.Request(f"{caller.url}/v1/attachments", content, headers, method="POST")
    with DIRECT.open(request, timeout=30) as response:
        return str(json.load(response)["id"])


def live(hub: HubProcess) -> Life:
    """Cases in every state, a file, a webhook that nobody answers, idempotency keys, cursors, a client that
    was revoked."""
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    ministry = hub.agency("kemenpu", "ministry")
    hub.desk("client", "revoke", hub.client("kemenpu").client_id)
    hook = {"url": f"http://127.0.0.1:{free_port()}/terima", "event_types": ["*"]}
    assert ministry.call("PUT", "/v1/webhook", hook, {"Idempotency-Key": "kait-1"})[0] == 200
    photo = upload(pemda, PHOTO)
    named = {"sha256": photo, "media_type": "image/png", "name": "lampu.png", "size": len(PHOTO)}
    cases = {}
    for state in (*sorted(STATES), "returned", "erased"):
        files = [named] if state in ("forwarded", "erased") else []
        document = complaint("pemda-kotim", f"L-{state}", attachments=files)
        status, case = pemda.call("POST", "/v1/complaints", document)
        assert status == 201, case
        cases[state] = case["id"]
        lead(pemda, ministry, case["id"], state)
    assert pemda.call("PUT", "/v1/mailbox/cursor", {"position": 5})[0] == 200
    assert {case["status"] for case in pemda.cases()} == STATES
    return Life(pemda, ministry, cases, cases["erased"], photo)


def lead(pemda: Caller, ministry: Caller, case: str, state: str) -> None:
    """From submitted to `state`."""
    verdicts = {"incomplete": "incomplete", "rejected": "reject"}
    if state in ("submitted", "erased"):
        return
    verdict = {"decision": verdicts.get(state, "accept"), "reason": "Nomor tiang belum disebut."}
    done(pemda, f"/v1/cases/{case}/verification", verdict)
    if state in (*verdicts, "verified"):
        return
    to = {"to": [{"agency": "kemenpu", "role": "lead"}], "note": "Mohon dicek."}
    leg = done(pemda, f"/v1/cases/{case}/forwardings", to, {"Idempotency-Key": f"k-{state}"})["items"][0][
        "id"
    ]
    if state == "returned":
        done(ministry, f"/v1/forwardings/{leg}/return", {"reason": "not_ours", "text": "Bukan aset kami."})
    if state in ("in_progress", "answered", "closed"):
        done(ministry, f"/v1/forwardings/{leg}/acceptance", {})
    if state in ("answered", "closed"):
        done(ministry, f"/v1/forwardings/{leg}/answer", {"text": "Lampu sudah diganti."})
    if state == "closed":
        done(pemda, f"/v1/cases/{case}/closure", {"reason": "resolved"})


def done(caller: Caller, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    status, answer = caller.call("POST", path, body, headers)
    assert status in (200, 201), (path, answer)
    return answer


def lose_the_words(hub: HubProcess, case: str) -> None:
    """What an erasure leaves behind: no key, no texts, a state that says so."""
    with sqlite3.connect(hub.data / "simpul.db") as database:
        (state,) = database.execute("SELECT state FROM cases WHERE id = ?", (case,)).fetchone()
        erased = json.dumps(json.loads(state) | {"erased": True}, separators=(",", ":")).encode()
        database.execute("UPDATE cases SET state = ?, texts = NULL WHERE id = ?", (erased, case))
        database.execute("DELETE FROM stream_keys WHERE stream = ?", (case,))


def seen(life: Life) -> dict[str, tuple[int, bytes]]:
    """Every answer that must not change."""
    paths = ["/v1/cases?limit=3", "/v1/cases", "/v1/mailbox", "/v1/mailbox?after=7&limit=4", "/v1/agencies"]
    paths += ["/v1/mailbox/digest?from=1&to=20", f"/v1/attachments/{life.photo}"]
    paths += ["/v1/submissions/digest?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"]
    for case in life.cases.values():
        paths += [f"/v1/cases/{case}", f"/v1/cases/{case}/history"]
    found = {}
    for caller in (life.pemda, life.ministry):
        caller.token = ""
        found |= {f"{caller.agency} {path}": raw(caller, path) for path in paths}
    return found


def moved_hub(hub: HubProcess, url: str) -> HubProcess:
    return HubProcess(hub.folder, {"SIMPUL_DATABASE_URL": url}, port=hub.port)


def test_after_a_move_the_same_hub_answers_the_same_and_goes_on(tmp_path: Path, target: str) -> None:
    hub = HubProcess(tmp_path)
    try:
        hub.start()
        life = live(hub)
        lose_the_words(hub, life.erased)
        before = seen_and_looked_at(life)
        hub.stop()
        told = hub.desk("move", "--to", target)
    finally:
        hub.kill()
    assert told["verified"] is True
    assert told["tables"]["cases"] == len(life.cases)
    assert told["stays"]["data_dir"] == str(hub.data)
    assert min(told["tables"][name] for name in ("deliveries", "idempotency", "webhooks", "files")) >= 1
    with pytest.raises(HubFailed, match=r"was moved to postgresql://.*simpul move --undo"):
        hub.desk("serve")
    there = moved_hub(hub, target)
    try:
        there.start()
        assert seen(life) == before
        goes_on(life)
    finally:
        there.kill()


def seen_and_looked_at(life: Life) -> dict[str, tuple[int, bytes]]:
    """Answers worth comparing: none a failure, the file whole, the erased case without its words."""
    found = seen(life)
    statuses = {status for status, _ in found.values()}
    assert statuses <= {200, 404, 410}, statuses
    good = found[f"pemda-kotim /v1/attachments/{life.photo}"]
    assert good == (200, PHOTO)
    assert hashlib.sha256(PHOTO).hexdigest() == life.photo
    gone = json.loads(found[f"pemda-kotim /v1/cases/{life.erased}"][1])
    assert gone["erased"] is True
    return found


def goes_on(life: Life) -> None:
    """Repeated requests find what was made on SQLite, new ones continue its numbers."""
    again = life.pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "L-submitted", attachments=[]))
    assert (again[0], again[1]["id"]) == (200, life.cases["submitted"])
    last = life.pemda.events()[-1]["position"]
    path, body = (
        f"/v1/cases/{life.cases['closed']}/forwardings",
        {"to": [{"agency": "kemenpu", "role": "lead"}]},
    )
    repeated = life.pemda.call("POST", path, body | {"note": "Mohon dicek."}, {"Idempotency-Key": "k-closed"})
    assert repeated[0] in (200, 201)
    assert life.pemda.events()[-1]["position"] == last, "nothing was done twice"
    assert life.pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "BARU-1"))[0] == 201
    assert life.pemda.events(after=last)[0]["position"] == last + 1
    done(life.pemda, f"/v1/cases/{life.cases['submitted']}/verification", {"decision": "accept"})


def test_a_moved_hub_agrees_with_its_log(tmp_path: Path, target: str) -> None:
    hub = HubProcess(tmp_path)
    try:
        life = live(hub.start())
        hub.stop()
        hub.desk("move", "--to", target)
        assert moved_hub(hub, target).desk("rebuild", "--check")["difference"] is None
    finally:
        hub.kill()
    assert len(life.cases) == 10


# --- kill -9 ----------------------------------------------------------------------------------------------


def rows_at(connection: psycopg.Connection[Any]) -> int:
    try:
        return int((connection.execute("SELECT count(*) FROM log").fetchone() or (0,))[0])
    except psycopg.errors.UndefinedTable:
        return 0


def killed_at(hub: HubProcess, target: str, rows: int) -> bool:
    """`simpul move`, killed once the target holds so many rows of the log; False when it ended before."""
    deadline = time.monotonic() + 60
    with hub.begun("move", "--to", target) as command, psycopg.connect(target, autocommit=True) as asking:
        while command.process.poll() is None and rows_at(asking) < rows:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        command.process.kill()
        return command.process.wait(15) == -signal.SIGKILL


def test_kill_9_three_times_and_the_fourth_run_ends_it(hub: HubProcess, target: str) -> None:
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    lines = [json.dumps(complaint("pemda-kotim", f"B-{number:05d}")) for number in range(5_000)]
    send_lines(pemda, "\n".join(lines).encode())
    with pytest.raises(HubFailed, match="a hub is running there"):
        hub.desk("move", "--to", target)
    hub.stop()
    killed = [killed_at(hub, target, rows) for rows in (1, 1_500, 3_000)]
    assert killed[0], "the first kill came too late to mean anything"
    for place in (hub, moved_hub(hub, target)):
        with pytest.raises(HubFailed, match="not finished"):
            place.desk("serve")
    with psycopg.connect(target) as connection:
        held = rows_at(connection)
    told = hub.desk("move", "--to", target)
    assert told["verified"] is True
    assert told["tables"]["log"] == 5_000 + 4, "beside the hub, its policies, its calendar and an agency"
    assert told["rows"] - told["copied_now"] >= held
    assert moved_hub(hub, target).desk("rebuild", "--check")["difference"] is None


def send_lines(caller: Caller, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {caller.sign_in()}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(f"{caller.url}/v1/complaints/batch", body, headers, method="POST")
    with DIRECT.open(request, timeout=100) as response:
        assert all(json.loads(line)["status"] == 201 for line in response.read().splitlines())
