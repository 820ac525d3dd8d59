"""A stranger's first steps with an empty folder: agency, client, token, complaint, mailbox, answer."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from pathlib import Path

from tests.parts.caller import complaint
from tests.parts.hub import HubProcess


def types(events: list[dict[str, object]]) -> list[str]:
    return [item["event"]["type"].removeprefix("id.simpul.").removesuffix(".v1") for item in events]  # type: ignore[index]


def test_a_complaint_reaches_a_ministry_and_its_answer_comes_back(hub: HubProcess) -> None:
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    ministry = hub.agency("kemenpu", "ministry")
    status, case = pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-1"))
    assert (status, case["status"], case["owner"]) == (201, "submitted", "pemda-kotim")
    assert "verify" in case["actions"]
    assert pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-1")) == (200, case)
    path = f"/v1/cases/{case['id']}"
    assert ministry.call("GET", path)[0] == 404
    assert pemda.call("POST", f"{path}/verification", {"decision": "accept"})[1]["status"] == "verified"
    to_lead = {"to": [{"agency": "kemenpu", "role": "lead"}], "note": "Mohon bantuan"}
    status, sent = pemda.call("POST", f"{path}/forwardings", to_lead)
    assert status == 201
    leg = sent["items"][0]
    assert (leg["from"], leg["to"], leg["status"], leg["note"]) == (
        "pemda-kotim",
        "kemenpu",
        "sent",
        "Mohon bantuan",
    )
    arrived = ministry.events(wait_s=5)[-1]["event"]
    assert arrived["type"] == "id.simpul.forwarding.sent.v1"
    assert arrived["subject"] == case["id"]
    assert arrived["data"]["complaint"]["title"] == case["complaint"]["title"]
    assert "reporter" not in json.dumps(arrived)
    act = f"/v1/forwardings/{leg['id']}"
    assert ministry.call("POST", f"{act}/acceptance", {})[1]["status"] == "accepted"
    assert ministry.call("POST", f"{act}/progress", {"text": "Tim berangkat"})[1]["status"] == "in_progress"
    assert ministry.call("POST", f"{act}/answer", {"text": "Lampu sudah diganti."})[1]["status"] == "answered"
    status, closed = pemda.call("POST", f"{path}/closure", {"reason": "resolved"})
    assert (status, closed["status"]) == (200, "closed")
    assert types(pemda.events())[-7:] == [
        "complaint.verified",
        "forwarding.sent",
        "forwarding.accepted",
        "forwarding.progressed",
        "forwarding.answered",
        "complaint.answered",
        "complaint.closed",
    ]
    positions = [item["position"] for item in pemda.events()]
    assert positions == list(range(1, len(positions) + 1))
    hub.cli("rebuild", "--check")


def test_a_revoked_client_is_refused_at_once(hub: HubProcess) -> None:
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    assert pemda.call("GET", "/v1/agencies")[0] == 200
    hub.cli("client", "revoke", pemda.client_id)
    assert pemda.call("GET", "/v1/agencies")[0] == 401


def test_tokens_outlive_a_restart_and_a_key_rotation(hub: HubProcess) -> None:
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    pemda.sign_in()
    hub.cli("key", "rotate")
    assert hub.stop() == 0
    hub.start()
    assert pemda.call("GET", "/v1/agencies")[0] == 200
    published = json.loads((hub.folder / "var" / "jwks.json").read_text())
    with_curl = subprocess.run(
        ["curl", "-sf", f"{hub.url}/.well-known/jwks.json"], capture_output=True, check=True, timeout=10
    )
    assert json.loads(with_curl.stdout) == published
    assert len(published["keys"]) == 2


def test_backup_and_restore_begin_a_new_incarnation(hub: HubProcess) -> None:
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    assert pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-1"))[0] == 201
    before = pemda.call("GET", "/v1/mailbox?after=0")[1]
    hub.cli("backup", "backup.tar.gz")
    assert pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-2"))[0] == 201
    assert "hub is running" in hub.cli("restore", "backup.tar.gz", status=1).stderr
    hub.stop()
    hub.cli("restore", "backup.tar.gz")
    hub.cli("rebuild", "--check")
    hub.start()
    after = pemda.call("GET", "/v1/mailbox?after=0")[1]
    assert after["items"] == before["items"]
    assert after["incarnation"] != before["incarnation"]
    assert (hub.folder / "backup.tar.gz").stat().st_mode & 0o777 == 0o600


def test_rebuild_check_names_the_first_difference(hub: HubProcess) -> None:
    pemda = hub.agency("pemda-kotim", "regency", "--region", "62.02")
    _, case = pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", "A-1"))
    with sqlite3.connect(hub.folder / "var" / "simpul.db") as db:
        db.execute("UPDATE cases SET status = 'closed'")
    assert case["id"] in hub.cli("rebuild", "--check", status=1).stderr
    hub.stop()
    hub.cli("rebuild")
    hub.cli("rebuild", "--check")


def test_a_mailbox_that_waits_hears_of_another_processes_write(hub: HubProcess) -> None:
    hub.agency("pemda-kotim", "regency", "--region", "62.02")
    national = hub.caller(hub.client("hub"))  # who watches the registry
    last = national.events()[-1]["position"]
    started = time.monotonic()
    waiting = f"{hub.url}/v1/mailbox?after={last}&wait=20"
    background = subprocess.Popen(
        ["curl", "-s", "-H", f"Authorization: Bearer {national.token}", waiting], stdout=subprocess.PIPE
    )
    hub.cli("agency", "deactivate", "pemda-kotim")
    answer, _ = background.communicate(timeout=25)
    assert time.monotonic() - started < 15
    assert types(json.loads(answer)["items"]) == ["agency.changed"]


def test_migrate_may_be_the_first_command_and_says_whether_it_did_anything(tmp_path: Path) -> None:
    folder = HubProcess(tmp_path)
    assert json.loads(folder.cli("migrate").stdout)["changed"] is True
    assert json.loads(folder.cli("migrate").stdout)["changed"] is False
    (tmp_path / "var" / "master.key").unlink()
    assert "master key" in folder.cli("migrate", status=1).stderr


def test_one_data_folder_one_hub(hub: HubProcess, tmp_path: Path) -> None:
    second = HubProcess(tmp_path, hub.env)
    refused = second.cli("serve", status=1)
    assert "a hub is running" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_wrong_use_is_2_and_a_refusal_is_1_with_one_line(hub: HubProcess) -> None:
    hub.cli("agency", "add", "x", status=2)
    hub.cli("agency", "add", "x", "--name", "X", "--kind", "shop", status=2)
    for arguments in (
        ("agency", "add", "Grosse", "--name", "X", "--kind", "ministry"),
        ("agency", "add", "x", "--name", "X", "--kind", "regency"),
        ("agency", "add", "x", "--name", "X", "--kind", "regency", "--region", "99.99"),
        ("agency", "add", "hub", "--name", "X", "--kind", "ministry"),
        ("client", "add", "nobody"),
        ("client", "revoke", "nobody"),
        ("restore", "hub.log"),
    ):
        refused = hub.cli(*arguments, status=1)
        assert refused.stdout == ""
        assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr
