"""Short words without a number in them are masked in the transaction: the same answers, without a trip to the
readers' threads, and no identity opened for who may not write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.ports.store import ReadSession
from hub.service.known_parts import KnownParts
from hub.service.readers import Readers
from hub.service.requests import Outcome
from hub.service.words import MOST
from tests.api.conftest import Caller, House, forwarded

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
NAMED = "Siti Rahmawati sudah dihubungi petugas."
HIDDEN = "sudah dihubungi petugas."


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A word for each trip to the readers' threads."""
    made: list[str] = []
    real = Readers.run

    async def counted(self: Readers, query: Any) -> Any:
        made.append(ReadSession.__name__)
        return await real(self, query)

    monkeypatch.setattr(Readers, "run", counted)
    yield made


async def thread_over(app: Caller, case_id: str) -> str:
    body = {"subject": "Jalan berlubang", "cases": [case_id], "participants": ["kementerian-pupr"]}
    reply = await app.post("/v1/threads", body)
    assert reply.status == 201, reply.text
    thread_id: str = reply.json["id"]
    return thread_id


async def test_no_identity_is_opened_for_who_may_not_write(
    house: House, app: Caller, ministry: Caller, stranger: Caller, opened: list[str]
) -> None:
    case_id, leg_id = await forwarded(app)
    thread_id = await thread_over(app, case_id)
    weak = await house.caller("kementerian-pupr", frozenset({"cases:read"}))
    text, message = {"text": NAMED}, {"text": NAMED, "scope": "agencies"}
    told = [
        (stranger, f"/v1/forwardings/{leg_id}/progress", text, 404),
        (weak, f"/v1/forwardings/{leg_id}/progress", text, 403),
        (app, f"/v1/forwardings/{leg_id}/progress", text, 403),
        (ministry, f"/v1/cases/{case_id}/closure", {"reason": "other"} | text, 403),
        (ministry, f"/v1/cases/{case_id}/consultations", {"agency": "bbws", "question": NAMED}, 403),
        (stranger, f"/v1/threads/{thread_id}/messages", message, 404),
        (weak, f"/v1/threads/{thread_id}/messages", message, 403),
        (stranger, "/v1/forwardings/0190aaaa-0000-7000-8000-000000000000/progress", text, 404),
    ]
    for caller, path, body, status in told:
        opened.clear()
        reply = await caller.post(path, body)
        assert (reply.status, opened) == (status, []), path
        assert "Simpul-Masked" not in reply.headers


async def test_a_leg_s_words_are_masked_without_a_reader(
    app: Caller, ministry: Caller, opened: list[str], hops: list[str]
) -> None:
    case_id, leg_id = await forwarded(app)
    uploaded = (await ministry.post("/v1/attachments", PNG, headers={"Content-Type": "image/png"})).json
    file = {"sha256": uploaded["id"], "media_type": "image/png", "size": len(PNG)}
    await ministry.post(f"/v1/forwardings/{leg_id}/acceptance")
    attached = {"attachments": [file | {"name": "Siti Rahmawati.png"}]}
    for path, more in (("progress", {}), ("answer", attached)):
        opened.clear()
        hops.clear()
        reply = await ministry.post(f"/v1/forwardings/{leg_id}/{path}", {"text": NAMED} | more)
        assert (reply.status, reply.headers["Simpul-Masked"]) == (200, "reporter"), reply.text
        assert (opened, hops) == ([case_id], [])
    history = await app.get(f"/v1/cases/{case_id}/history")
    assert HIDDEN in history.text
    assert "Siti" not in history.text
    legs = (await ministry.get(f"/v1/cases/{case_id}")).json["forwardings"]
    assert "Siti" not in str(legs)


async def test_a_message_s_words_are_masked_without_a_reader(
    app: Caller, ministry: Caller, opened: list[str], hops: list[str]
) -> None:
    case_id, _ = await forwarded(app)
    thread_id = await thread_over(app, case_id)
    path, key = f"/v1/threads/{thread_id}/messages", {"Idempotency-Key": "pesan-1"}
    body = {"text": NAMED, "scope": "agencies", "officer": "Siti Rahmawati"}
    opened.clear()
    hops.clear()
    first = await ministry.post(path, body, headers=key)
    assert (first.status, first.headers["Simpul-Masked"]) == (201, "reporter"), first.text
    assert (opened, hops) == ([case_id], [])
    assert first.json["text"].endswith(HIDDEN)
    assert "Siti" not in first.text
    again = await ministry.post(path, body, headers=key)
    assert (again.status, again.json, again.headers["Simpul-Masked"]) == (201, first.json, "reporter")
    assert "Siti" not in (await app.get(path)).text


async def test_a_repeated_key_answers_the_same(app: Caller, ministry: Caller) -> None:
    _, leg_id = await forwarded(app)
    path, body = f"/v1/forwardings/{leg_id}/return", {"reason": "not_ours", "text": NAMED}
    replies = [await ministry.post(path, body, headers={"Idempotency-Key": "satu"}) for _ in range(2)]
    assert [(each.status, each.headers["Simpul-Masked"]) for each in replies] == [(200, "reporter")] * 2
    assert replies[0].json == replies[1].json


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Siti Rahmawati menelepon. " + "Mohon ditunggu. " * (MOST // 16), "reporter"),
        ("Hubungi petugas di 0813-9876-5432.", "phone"),
    ],
)
async def test_what_takes_long_is_masked_by_a_reader(
    app: Caller, ministry: Caller, hops: list[str], text: str, kinds: str
) -> None:
    _, leg_id = await forwarded(app)
    await ministry.post(f"/v1/forwardings/{leg_id}/acceptance")
    hops.clear()
    reply = await ministry.post(f"/v1/forwardings/{leg_id}/progress", {"text": text})
    assert (reply.status, reply.headers["Simpul-Masked"], len(hops)) == (200, kinds, 1)


def test_few_parts_are_known_and_the_oldest_is_given_up() -> None:
    known = KnownParts(most=2)
    known.learn_from(Outcome(201, "forwardings", ("kasus", "satu", "dua")))
    known.learn_from(Outcome(201, "message", ("utas", "pesan")))
    known.learn("dua", "kasus")
    known.learn("tiga", "lain")
    assert [known.case_of(each) for each in ("satu", "dua", "tiga", "pesan")] == [None, "kasus", "lain", None]
