"""`simpul key rotate --master` beside a hub that runs, killed half-way, and a backup from before it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.store import rewrapping
from tests.parts.caller import Caller, complaint
from tests.parts.hub import HubFailed, HubProcess

KILLED = 9
CASES = 12


def generations(hub: HubProcess) -> Counter[int]:
    """How many stored keys there are under each generation of the master key."""
    with sqlite3.connect(hub.data / "simpul.db") as db:
        streams = db.execute("SELECT generation FROM stream_keys").fetchall()
        files = db.execute("SELECT generation FROM files WHERE wrapped IS NOT NULL").fetchall()
    return Counter(row[0] for row in streams + files)


def an_hour_passes(hub: HubProcess) -> None:
    """The retired generations were retired two hours earlier."""
    path = hub.data / "master.key"
    document = json.loads(path.read_text())
    for row in document["generations"]:
        if "retired_at" in row:
            moment = datetime.fromisoformat(row["retired_at"]) - timedelta(hours=2)
            row["retired_at"] = moment.isoformat()
    path.write_text(json.dumps(document))


def killed_rotation(hub: HubProcess, batches: int) -> None:
    """`simpul key rotate --master` in a process that ends, as by kill -9, after so many batches of two."""
    child = os.fork()
    if child == 0:
        replace, left = rewrapping.WrappedKeys._replace, batches

        def dying(*given: object) -> int:
            nonlocal left
            moved = replace(*given)  # type: ignore[arg-type]
            left -= 1
            if left == 0:
                os._exit(KILLED)
            return moved

        rewrapping.AT_ONCE = 2  # type: ignore[misc]
        rewrapping.WrappedKeys._replace = dying  # type: ignore[method-assign]
        try:
            hub.desk("key", "rotate", "--master")
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def submit(pemda: Caller, *names: str) -> list[str]:
    return [pemda.call("POST", "/v1/complaints", complaint("pemda-kotim", name))[1]["id"] for name in names]


def readable(pemda: Caller, cases: list[str]) -> None:
    for case in cases:
        status, history = pemda.call("GET", f"/v1/cases/{case}/history")
        assert status == 200
        words = history["items"][0]["data"]["complaint"]
        assert words["title"] == complaint("pemda-kotim", "x")["title"]


@pytest.fixture
def pemda(hub: HubProcess) -> Caller:
    return hub.agency("pemda-kotim", "regency", "--region", "62.02")


def test_a_rotation_beside_a_hub_is_in_force_when_it_returns(hub: HubProcess, pemda: Caller) -> None:
    cases = submit(pemda, *(f"A-{n}" for n in range(CASES)))
    told = hub.run("key", "rotate", "--master")
    assert (told["generation"], told["resumed"]) == (2, False)
    assert told["rewrapped"] == CASES + 1, "every case's key and the hub's own"
    cases += submit(pemda, "B-1")
    assert generations(hub) == {2: CASES + 2}
    readable(pemda, cases)
    with pytest.raises(HubFailed, match=r"less than an hour ago.*from 20\d\d-"):
        hub.run("key", "destroy")
    an_hour_passes(hub)
    assert hub.run("key", "destroy") == {"generation": 2, "rewrapped": 0, "destroyed": [1]}
    cases += submit(pemda, "C-1")
    readable(pemda, cases)
    hub.stop()
    hub.start()
    readable(pemda, cases)
    hub.cli("rebuild", "--check")


def test_a_rotation_that_is_killed_goes_on(hub: HubProcess, pemda: Caller) -> None:
    cases = submit(pemda, *(f"A-{n}" for n in range(CASES)))
    killed_rotation(hub, 3)
    assert generations(hub) == {1: CASES + 1 - 6, 2: 6}
    readable(pemda, cases)
    cases += submit(pemda, "B-1")
    told = hub.run("key", "rotate", "--master")
    assert told == {"generation": 2, "rewrapped": CASES + 1 - 6, "resumed": True}
    assert generations(hub) == {2: CASES + 2}
    an_hour_passes(hub)
    hub.run("key", "destroy")
    readable(pemda, cases)
    assert hub.run("key", "rotate", "--master")["generation"] == 3


def test_what_waited_while_the_hub_was_idle_is_wrapped_under_the_new_key(
    hub: HubProcess, pemda: Caller
) -> None:
    """The hub heard nothing between rotation and destruction: its first complaint still is in force."""
    submit(pemda, "A-1")
    hub.desk("key", "rotate", "--master")
    an_hour_passes(hub)
    hub.desk("key", "destroy")
    readable(pemda, submit(pemda, "A-2", "A-3"))
    assert set(generations(hub)) == {2}


def test_a_backup_from_before_opens_only_with_the_key_file_of_its_time(
    hub: HubProcess, pemda: Caller, tmp_path: Path
) -> None:
    cases = submit(pemda, "A-1", "A-2")
    hub.cli("backup", "before.backup")
    key_file, kept = hub.data / "master.key", tmp_path / "kept.key"
    shutil.copy2(key_file, kept)
    hub.run("key", "rotate", "--master")
    an_hour_passes(hub)
    hub.run("key", "destroy")
    hub.stop()
    with pytest.raises(HubFailed, match=r"holds no generation 1\. Restore the master key file of that time"):
        hub.cli("restore", "before.backup")
    shutil.copy2(kept, key_file)
    with pytest.raises(HubFailed, match="holds no generation 2"):
        hub.cli("key", "rotate", "--master")  # the older copy would give number 2 out again
    hub.cli("restore", "before.backup")
    hub.start()
    readable(pemda, cases)


def test_an_altered_key_is_named_and_keeps_the_old_generation(hub: HubProcess, pemda: Caller) -> None:
    case, other = submit(pemda, "A-1", "A-2")
    with sqlite3.connect(hub.data / "simpul.db") as db:
        db.execute("UPDATE stream_keys SET wrapped = zeroblob(60) WHERE stream = ?", (case,))
    with pytest.raises(HubFailed, match=re.escape(f"such as that of {case}; all others")):
        hub.cli("key", "rotate", "--master")
    assert generations(hub) == {1: 1, 2: 2}
    an_hour_passes(hub)
    with pytest.raises(HubFailed, match="cannot be opened"):
        hub.cli("key", "destroy")
    assert len(json.loads((hub.data / "master.key").read_text())["generations"]) == 2
    readable(pemda, [other])
