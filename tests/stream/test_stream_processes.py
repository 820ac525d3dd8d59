"""Whole processes: a thousand clients over restarts and kills of the hub; two processes on PostgreSQL."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.parts.caller import DIRECT, Caller, complaint
from tests.parts.hub import HubProcess
from tests.parts.postgres import drop_database, make_database
from tests.stream.streamwork import crowd, furnish

CLIENTS = 1000
AGENCIES = 100
SLICE_S = 1.2


@pytest.mark.timeout(120)
def test_a_thousand_clients_over_a_restart_and_a_kill(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    members = furnish(hub, AGENCIES)
    with ExitStack() as stack:
        stack.callback(hub.kill)
        hub.start()
        following = stack.enter_context(crowd([hub.port], hub.port, members, streams=CLIENTS, rate=60))
        time.sleep(SLICE_S)
        assert hub.stop(10) == 0
        hub.start()
        time.sleep(SLICE_S)
        hub.kill()
        hub.start()
        time.sleep(SLICE_S)
        seen = following.finish()
    assert (seen["missed"], seen["twice"], seen["unlike"]) == (0, 0, 0), seen
    assert seen["came_back"] >= 2 * CLIENTS
    assert seen["posted"] >= 100
    assert seen["events"] == seen["posted"] * CLIENTS // AGENCIES


@pytest.fixture
def apis(tmp_path: Path) -> Iterator[list[HubProcess]]:
    """Two processes with the API over one database; not started."""
    with ExitStack() as stack:
        database = make_database()
        stack.callback(drop_database, database)
        env = {"SIMPUL_DATABASE_URL": database, "SIMPUL_PUBLIC_URL": "http://hub.test"}
        made = [HubProcess(tmp_path, dict(env), roles="api") for _ in range(2)]
        made[0].cli("migrate")
        for process in made:
            stack.callback(process.kill)
        yield made


@pytest.mark.timeout(120)
def test_a_command_at_one_process_is_seen_at_the_other(apis: list[HubProcess]) -> None:
    posting, streaming = apis
    members = furnish(posting, 5)
    posting.start()
    streaming.start()
    with crowd([streaming.port], posting.port, members, streams=100, rate=20) as following:
        time.sleep(SLICE_S)
        streaming.kill()
        streaming.start()
        time.sleep(SLICE_S)
        seen = following.finish()
    assert (seen["missed"], seen["twice"], seen["unlike"]) == (0, 0, 0), seen
    assert seen["came_back"] >= 100
    assert seen["events"] == seen["posted"] * 20


@pytest.mark.timeout(60)
def test_a_client_revoked_anywhere_is_cut_off_everywhere(apis: list[HubProcess]) -> None:
    posting, streaming = apis
    (member,) = furnish(posting, 1)
    posting.start()
    streaming.start()
    writing = Caller(posting.url, posting.client(member.agency))
    with DIRECT.open(_request(Caller(streaming.url, member), "?after=0"), timeout=10) as stream:
        assert writing.call("POST", "/v1/complaints", complaint(member.agency, "satu"))[0] == 201
        assert [event["type"].split(".")[2:4] for event in _events(stream, 2)] == [
            ["agency", "registered"],
            ["complaint", "submitted"],
        ]
        posting.desk("client", "revoke", member.client_id)
        assert writing.call("POST", "/v1/complaints", complaint(member.agency, "dua"))[0] == 201
        assert b"data:" not in stream.read()


@pytest.mark.timeout(60)
def test_sigterm_ends_streams_that_nobody_reads_too(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    members = furnish(hub, 1)
    with ExitStack() as stack:
        stack.callback(hub.kill)
        hub.start()
        caller = Caller(hub.url, members[0])
        streams = [stack.enter_context(DIRECT.open(_request(caller), timeout=10)) for _ in range(20)]
        for number in range(100):
            large = complaint(caller.agency, f"panjang-{number}", description="Air keruh dan berbau. " * 900)
            assert caller.call("POST", "/v1/complaints", large)[0] == 201
        began = time.monotonic()
        assert hub.stop(10) == 0
        assert time.monotonic() - began < 6
        assert b"stopping" not in streams[0].read(200)


def _request(caller: Caller, query: str = "") -> Any:
    token = caller.sign_in()
    return urllib.request.Request(
        f"{caller.url}/v1/stream{query}", headers={"Authorization": f"Bearer {token}"}
    )


def _events(stream: Any, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        line = stream.readline()
        assert line, "the stream ended"
        if line.startswith(b"data: "):
            found.append(json.loads(line[6:]))
    return found
