"""A hub that cannot write: says so, acknowledges nothing, still reads, and recovers by itself.

The kernel refuses every write beyond a few kilobytes of a file (RLIMIT_FSIZE, set from outside on the running
hub), which is what a full disk is to the database: no mount and no root needed."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.calls import Api, Reply
from tests.chaos.checks import pull
from tests.chaos.complaints import complaint
from tests.parts.hub import HubProcess

AGENCY = "pemkab-kotim"
FULL_BYTES = 4096
RECOVERS_WITHIN_S = 15.0
pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="prlimit is Linux's")


@contextmanager
def full_disk(hub: HubProcess) -> Iterator[None]:
    _, hard = resource.prlimit(hub.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (FULL_BYTES, hard))
    yield
    resource.prlimit(hub.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture
def api(hub: HubProcess) -> Iterator[Api]:
    """Of a running hub, whose log goes nowhere: it must not be what the limit strikes."""
    member = hub.member(AGENCY, "Pemkab Kotawaringin Timur", "--kind", "regency", "--region", "62.02")
    hub.start(stderr=subprocess.DEVNULL)
    api = Api(hub.port, member)
    yield api
    api.close()


def test_a_hub_that_cannot_write_says_so_and_recovers(hub: HubProcess, api: Api) -> None:
    before = _submit(api, 1)
    assert before.status == 201
    with full_disk(hub):
        refused = [_submit(api, number) for number in range(2, 7)]
        _assert_unavailable(*refused)
        lines = api.lines("/v1/complaints/batch", [_complaint(number) for number in range(7, 17)])
        assert lines.status in (200, 503)
        assert lines.status == 503 or {line["status"] for line in lines.lines} == {503}
        case = before.document["id"]
        _assert_unavailable(api.call("POST", f"/v1/cases/{case}/verification", {"decision": "accept"}))
        read = api.call("GET", f"/v1/cases/{case}")
        assert (read.status, read.document["status"]) == (200, "submitted")
        assert _within(lambda: not hub.ready()), "/readyz still says 200"
    assert _within(lambda: _submit(api, 17).status in (200, 201)), "it does not recover by itself"
    assert _within(hub.ready)
    assert hub.process is not None and hub.process.poll() is None
    references = [
        entry.event["data"]["complaint"]["source"]["reference"]
        for entry in pull(api)
        if entry.type == "id.simpul.complaint.submitted.v1"
    ]
    assert references == ["penuh-1", "penuh-17"]
    assert hub.run("rebuild", "--check")["difference"] is None


def _complaint(number: int) -> dict[str, object]:
    return complaint(AGENCY, f"penuh-{number}", number)


def _submit(api: Api, number: int) -> Reply:
    return api.call("POST", "/v1/complaints", _complaint(number))


def _assert_unavailable(*replies: Reply) -> None:
    for reply in replies:
        assert reply.status == 503, reply.said()
        headers = {name.lower(): value for name, value in reply.headers.items()}
        assert int(headers["retry-after"]) > 0
        assert headers["content-type"].startswith("application/problem+json")


def _within(condition: Callable[[], bool]) -> bool:
    """Looks again and again; another process is meant to change."""
    deadline = time.monotonic() + RECOVERS_WITHIN_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
