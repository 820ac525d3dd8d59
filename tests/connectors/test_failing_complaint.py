"""A complaint at which the hub fails (500) waits by itself; the others go on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.batch_line import BatchLine
from connectors.config import Hub
from connectors.entries import Seen
from connectors.errors import HubAway, HubFailed, NotNow
from connectors.hub_client import HubClient
from connectors.outbox import Outbox
from connectors.sending import Sender
from connectors.spool import open_spool
from tests.connectors.apps import App
from tests.connectors.faulty_proxy import Fault, FaultyProxy
from tests.connectors.office import Office, sql_config
from tests.connectors.processes import ConnectorProcess, eventually

SINGLY = "POST /v1/complaints"


@pytest.mark.parametrize("rows", [5, 60], ids=["one by one", "as a batch"])
def test_a_complaint_that_the_hub_fails_at_holds_up_no_other(
    sqlite: App, office: Office, proxy: FaultyProxy, connector: ConnectorProcess, rows: int
) -> None:
    sqlite.reports(rows)
    first = b'"reference":"1"'
    proxy.faults = [Fault("/v1/complaints", 500, holding=first, lasting=True)]
    sql_config(sqlite, office, connector)
    connector.start()
    eventually(lambda: len(office.complaints()) == rows - 1, "the others arrive")
    assert "1 (pending): the hub answers 500" in connector.run("check").stdout
    assert [line["reference"] for line in connector.logged() if "fails at" in line["event"]] == ["1"]
    assert not any("away" in event for event in connector.events())
    proxy.faults.clear()
    eventually(lambda: len(office.complaints()) == rows, "and this one, once the hub can take it")
    assert proxy.count(SINGLY, first) == 1


class FailingHub:
    """What no healthy hub can be asked to do: failing at the complaints named in `bad`."""

    def __init__(self, bad: set[bytes]) -> None:
        self.bad, self.singles, self.batches = bad, 0, 0
        self.away = False

    async def submit(self, content: bytes) -> dict[str, Any]:
        self.singles += 1
        if self.away:
            raise HubAway("the hub answers 503")
        if content in self.bad:
            raise HubFailed("500 no problem document")
        return {"id": content.decode()}

    async def submit_batch(self, contents: Sequence[bytes]) -> list[BatchLine]:
        self.batches += 1
        pairs = enumerate(contents, 1)
        return [BatchLine(n, 500 if body in self.bad else 201, f"case-{n}", {}) for n, body in pairs]


class Sending:
    """A sender over a real spool with `rows` waiting, and a clock of its own."""

    def __init__(self, folder: Path, rows: int, bad: set[int]) -> None:
        self.spool = open_spool(folder / "connector.spool")
        self.outbox, self.now_s = Outbox(self.spool), 1000.0
        for n in range(1, rows + 1):
            seen = Seen(str(n), str(n), b"r", b"m", f"2026-03-11T00:00:{n:02d}+00:00")
            self.outbox.queue(seen, str(n).encode(), [], [])
        self.hub = FailingHub({str(n).encode() for n in bad})
        settings = Hub(url="http://127.0.0.1:9", backoff_cap_s=8.0)
        hub = cast(HubClient, self.hub)
        self.sender = Sender(hub, settings, self.spool, self.outbox, "kab", False, None, lambda: self.now_s)

    def pending(self) -> int:
        return self.outbox.count_waiting()


async def test_pauses_grow_to_the_cap_and_end_with_the_failure(tmp_path: Path) -> None:
    sending = Sending(tmp_path, 1, {1})
    tried_at = []
    for _ in range(600):
        before = sending.hub.singles
        assert await sending.sender.step() is False
        if sending.hub.singles > before:
            tried_at.append(sending.now_s)
        sending.now_s += 0.25
    pauses = [later - earlier for earlier, later in pairwise(tried_at)]
    assert pauses[0] <= 1.25
    assert 4.0 <= max(pauses) <= 8.25
    assert len(tried_at) < 45
    sending.hub.bad.clear()
    sending.now_s += 8.0
    await sending.sender.step()
    assert sending.pending() == 0


async def test_a_line_of_a_batch_that_fails_is_sent_alone_later(tmp_path: Path) -> None:
    sending = Sending(tmp_path, 30, {7, 9})
    assert await sending.sender.step() is False
    assert (sending.pending(), sending.hub.batches) == (2, 1)
    sending.now_s += 60.0
    await sending.sender.step()
    assert (sending.hub.batches, sending.hub.singles) == (1, 2)


async def test_a_hub_that_fails_at_everything_is_not_asked_for_each(tmp_path: Path) -> None:
    sending = Sending(tmp_path, 15, set(range(1, 16)))
    with pytest.raises(NotNow, match="one request after another"):
        await sending.sender.step()
    assert sending.hub.singles == 3


async def test_a_hub_that_is_away_pauses_everything(tmp_path: Path) -> None:
    sending = Sending(tmp_path, 5, set())
    sending.hub.away = True
    with pytest.raises(HubAway):
        await sending.sender.step()
    assert (sending.hub.singles, sending.pending()) == (1, 5)


async def test_a_start_tries_again_at_once(tmp_path: Path) -> None:
    sending = Sending(tmp_path, 1, {1})
    await sending.sender.step()
    sending.hub.bad.clear()
    await sending.sender.step()
    assert sending.pending() == 1
    sending.outbox.retry_at_once()
    await sending.sender.step()
    assert sending.pending() == 0
