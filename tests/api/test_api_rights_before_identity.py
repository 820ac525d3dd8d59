"""What officers write is masked with the reporter's own values: only for who may write it, and in one trip to
the reader's threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from hub.ports.store import ReadSession
from hub.service.readers import Readers
from tests.api.checking import Reply
from tests.api.conftest import Caller, House, forwarded

T = TypeVar("T")
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
NAMED = "Siti Rahmawati sudah dihubungi di 081234567890."


class CountingReaders(Readers):
    """The hub's own readers, counted."""

    def __init__(self, inner: Readers) -> None:
        vars(self).update(vars(inner))
        self.hops = 0

    async def run(self, query: Callable[[ReadSession], T]) -> T:
        self.hops += 1
        return await super().run(query)


@pytest.fixture
def readers(house: House) -> CountingReaders:
    hub = house.server.hub
    hub.readers = hub.reading.readers = counting = CountingReaders(hub.readers)
    return counting


async def test_no_identity_is_opened_for_who_may_not_write(
    app: Caller, ministry: Caller, stranger: Caller, opened: list[str], readers: CountingReaders
) -> None:
    case_id, leg_id = await forwarded(app)
    text, reason = {"text": NAMED}, {"reason": NAMED}
    told = [
        (stranger, f"/v1/forwardings/{leg_id}/progress", text, 404),
        (stranger, f"/v1/forwardings/{leg_id}/answer", text, 404),
        (stranger, f"/v1/cases/{case_id}/reopening", reason, 404),
        (app, f"/v1/forwardings/{leg_id}/progress", text, 403),
        (ministry, f"/v1/forwardings/{leg_id}/withdrawal", reason, 403),
        (ministry, f"/v1/cases/{case_id}/verification", {"decision": "reject"} | reason, 403),
        (ministry, f"/v1/cases/{case_id}/closure", {"reason": "other"} | text, 403),
        (ministry, f"/v1/cases/{case_id}/consultations", {"agency": "bbws", "question": NAMED}, 403),
        (stranger, f"/v1/cases/{case_id}/forwardings", {"to": [{"agency": "bbws", "role": "support"}],
                                                        "note": NAMED}, 404),
    ]  # fmt: skip
    for caller, path, body, status in told:
        opened.clear()
        before = readers.hops
        reply = await caller.post(path, body)
        assert (reply.status, opened, readers.hops - before) == (status, [], 1), path


async def test_a_token_without_the_scope_opens_nothing(house: House, app: Caller, opened: list[str]) -> None:
    _, leg_id = await forwarded(app)
    weak = await house.caller("kementerian-pupr", frozenset({"cases:read"}))
    opened.clear()
    assert (await weak.post(f"/v1/forwardings/{leg_id}/progress", {"text": NAMED})).status == 403
    assert opened == []


async def test_a_leg_action_asks_the_readers_once_at_most(
    app: Caller, ministry: Caller, opened: list[str], readers: CountingReaders
) -> None:
    case_id, leg_id = await forwarded(app)
    uploaded = (await ministry.post("/v1/attachments", PNG, headers={"Content-Type": "image/png"})).json
    file = {"sha256": uploaded["id"], "media_type": "image/png", "size": len(PNG)}
    steps: list[tuple[str, dict[str, Any], int]] = [
        ("acceptance", {}, 0),  # of which case the leg is, is known since it was made
        ("progress", {"text": NAMED}, 1),
        ("answer", {"text": NAMED, "attachments": [file | {"name": "Siti Rahmawati.png"}]}, 1),
    ]
    for path, body, asked in steps:
        opened.clear()
        before = readers.hops
        reply = await ministry.post(f"/v1/forwardings/{leg_id}/{path}", body)
        assert reply.status == 200, reply.text
        assert (readers.hops - before, len(opened)) == (asked, asked), path
        assert masked_kinds(reply) == ({"reporter"} if asked else set())
    history = (await app.get(f"/v1/cases/{case_id}/history")).json["items"]
    assert "Siti" not in str(history)
    assert "081234567890" not in str(history)
    assert "image/png" in str(history)


async def test_a_case_action_asks_the_readers_once_for_its_words(
    app: Caller, readers: CountingReaders, opened: list[str]
) -> None:
    """And once more for the name that its answer shows to who takes part."""
    case = await app.submit()
    for body, hops in (({"decision": "incomplete", "reason": NAMED}, 2), ({"decision": "accept"}, 1)):
        before = readers.hops
        reply = await app.post(f"/v1/cases/{case['id']}/verification", body)
        assert (reply.status, readers.hops - before) == (200, hops)
    before = readers.hops
    to = [{"agency": "kementerian-pupr", "role": "lead"}]
    reply = await app.post(f"/v1/cases/{case['id']}/forwardings", {"to": to, "note": NAMED})
    assert (reply.status, readers.hops - before) == (201, 1)
    assert masked_kinds(reply) == {"reporter"}


async def test_a_repeated_key_still_answers_the_same(app: Caller, ministry: Caller) -> None:
    """Rights are asked before the memory of keys is: who has left its leg may still ask what became of it."""
    _, leg_id = await forwarded(app)
    path, body, key = f"/v1/forwardings/{leg_id}/return", {"reason": "not_ours", "text": NAMED}, "satu"
    first = await ministry.post(path, body, headers={"Idempotency-Key": key})
    again = await ministry.post(path, body, headers={"Idempotency-Key": key})
    assert (first.status, again.status, again.json) == (200, 200, first.json)


def masked_kinds(reply: Reply) -> set[str]:
    return set(filter(None, reply.headers.get("Simpul-Masked", "").split(", ")))
