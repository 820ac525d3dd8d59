"""What a status of the hub means, however it came: as an answer, as a line of a batch, or to a photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from connectors.batch_line import BatchLine
from connectors.config import Hub
from connectors.entries import Seen
from connectors.errors import Away, ConnectorError, HubFailed, HubRefused, NotAllowed
from connectors.hub_answers import bars_client, bars_submitting, error_of
from connectors.hub_client import HubClient
from connectors.outbox import Outbox
from connectors.sending import Sender
from connectors.spool import open_spool

STATUSES = (0, 200, 302, 400, 401, 403, 404, 405, 408, 409, 410, 413, 422, 425, 429, 500, 502, 503, 504)
PHOTO = {"path": "foto.jpg", "name": "foto.jpg", "media_type": "image/jpeg", "sha256": "00" * 32}


def refused(status: int, kind: str = "about:blank") -> HubRefused:
    return HubRefused(status, kind, "Title", "")


@pytest.mark.parametrize("status", STATUSES)
def test_whether_a_status_is_final(status: int) -> None:
    error = error_of(status, None)
    assert isinstance(error, HubRefused) is (status in (400, 403, 404, 405, 409, 410, 413, 422))
    assert isinstance(error, HubFailed) is (status == 500)
    assert isinstance(error, Away) is not isinstance(error, HubRefused)


def test_a_403_bars_the_client_only_where_it_is_about_the_client() -> None:
    assert bars_client(refused(403, "https://hub/problems/insufficient-scope"))
    assert bars_client(refused(403, "https://hub/problems/agency-inactive"))
    assert not bars_client(refused(403, "https://hub/problems/not-involved"))
    assert not bars_client(refused(404, "https://hub/problems/insufficient-scope"))


class Answering:
    """Answers every upload, complaint and line with one status."""

    def __init__(self, status: int, at_upload: bool = False) -> None:
        self.status, self.at_upload = status, at_upload

    async def submit_batch(self, contents: Sequence[bytes]) -> list[BatchLine]:
        return [BatchLine(number, self.status, "", {}) for number, _ in enumerate(contents, 1)]

    async def submit(self, content: bytes) -> dict[str, Any]:
        if not self.at_upload:
            raise error_of(self.status, None)
        return {"id": "case"}

    async def upload(self, path: Path, media_type: str, sha256: str) -> None:
        if self.at_upload:
            raise error_of(self.status, None)


async def sent(folder: Path, hub: Answering, *, batch: bool = False) -> tuple[ConnectorError | None, str]:
    """What one step raised, and how the complaint stands then."""
    spool = open_spool(folder / "connector.spool")
    outbox = Outbox(spool)
    photos = [PHOTO] if hub.at_upload else []
    outbox.queue(Seen("1", "1", b"r", b"m", "2026-03-11T00:00:00+00:00"), b"{}", photos, [])
    settings = Hub(url="http://127.0.0.1:9", batch_from=1 if batch else 10)
    sender = Sender(cast(HubClient, hub), settings, spool, outbox, "kab", False, None, lambda: 0.0)
    raised = None
    try:
        await sender.step()
    except ConnectorError as error:
        raised = error
    entry = outbox.find(["1"])["1"]
    spool.close()
    return raised, f"failing {entry.failures}" if entry.failures else entry.state


@pytest.mark.parametrize("status", [status for status in STATUSES if status != 200])
async def test_a_line_of_a_batch_means_what_the_answer_to_one_means(tmp_path: Path, status: int) -> None:
    (tmp_path / "one").mkdir()
    alone = await sent(tmp_path / "one", Answering(status))
    line = await sent(tmp_path, Answering(status), batch=True)
    assert (type(alone[0]), alone[1]) == (type(line[0]), line[1])


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_what_bars_a_client_from_submitting_bars_its_photos(tmp_path: Path, status: int) -> None:
    assert bars_submitting(refused(status))
    raised, state = await sent(tmp_path, Answering(status, at_upload=True))
    assert (type(raised), state) == (NotAllowed, "pending")


@pytest.mark.parametrize("status", [409, 413, 415, 422])
async def test_a_photo_that_is_refused_is_named_and_its_complaint_goes(tmp_path: Path, status: int) -> None:
    assert not bars_submitting(refused(status))
    assert await sent(tmp_path, Answering(status, at_upload=True)) == (None, "sent")
