"""`GET /v1/stream` over HTTP: what is sent, how it resumes, whom it refuses, and when it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.ports.clock import rfc3339
from hub.store.reading import Session
from tests.api.conftest import Caller, House, forwarded, running
from tests.stream.reading import as_mailbox, following, mailbox

FIRST = 1
"""Every mailbox here begins with the registration of its agency."""


async def test_the_stream_is_the_mailbox(app: Caller, ministry: Caller) -> None:
    async with following(ministry, "/v1/stream?after=0") as live:
        case, leg = await forwarded(app)
        await ministry.post(f"/v1/forwardings/{leg}/acceptance", {})
        await ministry.post(f"/v1/forwardings/{leg}/answer", {"text": "Sudah ditambal hari ini."})
        kept = await mailbox(ministry)
        events = await live.some(len(kept))
    assert as_mailbox(events) == kept
    assert [event.type for event in events] == [entry["event"]["type"] for entry in kept]
    assert case in {event.data["subject"] for event in events}


async def test_what_its_answer_says_about_itself(app: Caller) -> None:
    asked = {"Accept-Encoding": "gzip, deflate", "Accept": "text/html;q=0.1, text/*"}
    async with following(app, headers=asked) as live:
        headers = live.response.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in headers
        page = (await app.get("/v1/mailbox")).json
        assert headers["Simpul-Incarnation"] == page["incarnation"]
        await app.submit()
        await live.some(1)
        assert page["incarnation"] in live.comments[0]
        assert 1000 <= live.retry_ms <= 4000


async def test_without_a_position_it_begins_now(app: Caller) -> None:
    await app.submit()
    async with following(app) as live:
        await asyncio.wait_for(live.response.content.readuntil(b"\n\n"), 5)
        case = await app.submit()
        (event,) = await live.some(1)
    assert (event.position, event.data["subject"]) == (FIRST + 2, case["id"])


async def test_who_is_cut_off_before_the_first_event_misses_none(app: Caller) -> None:
    """The position where it began comes as an id without data."""
    await app.submit()
    async with following(app) as live:
        begun = await asyncio.wait_for(live.response.content.readuntil(b"\n\n"), 5)
    assert b"\nid: %d\n\n" % (FIRST + 1) in begun
    case = await app.submit()
    async with following(app, headers={"Last-Event-ID": str(FIRST + 1)}) as live:
        assert (await live.some(1))[0].data["subject"] == case["id"]


async def test_the_header_goes_before_the_address(app: Caller) -> None:
    """A browser keeps its address, and sends the header when it comes back."""
    for _ in range(4):
        await app.submit()
    async with following(app, "/v1/stream?after=0", {"Last-Event-ID": "3"}) as live:
        assert [event.position for event in await live.some(2)] == [4, 5]
    async with following(app, "/v1/stream?after=4", {"Last-Event-ID": ""}) as live:
        assert (await live.some(1))[0].position == 5


async def test_it_resumes_across_a_restart(folder: Path) -> None:
    async with running(folder) as house:
        app = await house.caller("kab-kotim")
        async with following(app, "/v1/stream?after=0") as live:
            for _ in range(3):
                await app.submit()
            await live.some(2)
            last = live.last_id
        await app.submit()
    async with running(folder) as house:
        app = await house.caller("kab-kotim")
        async with following(app, headers={"Last-Event-ID": last}) as live:
            await app.submit()
            assert last == "2"
            assert [event.position for event in await live.some(4)] == [3, 4, 5, 6]


async def test_a_long_way_behind_it_reads_page_after_page(app: Caller) -> None:
    for _ in range(5):
        await asyncio.gather(*(app.submit() for _ in range(40)))
    async with following(app, "/v1/stream?after=0") as live:
        await asyncio.gather(*(app.submit() for _ in range(20)))
        events = await live.some(FIRST + 220)
    assert [event.position for event in events] == list(range(1, FIRST + 221))


async def test_it_only_gets_tighter(app: Caller, ministry: Caller) -> None:
    """An agency that has left the case reads in the stream what it reads in the mailbox now."""
    case, leg = await forwarded(app)
    await forwarded_to_another(app, case)
    returned = {"reason": "not_ours", "text": "Jalan ini milik kabupaten."}
    assert (await ministry.post(f"/v1/forwardings/{leg}/return", returned)).status == 200
    kept = await mailbox(ministry)
    assert any(entry["event"]["data"].get("withheld") for entry in kept)
    async with following(ministry, "/v1/stream?after=0") as live:
        assert as_mailbox(await live.some(len(kept))) == kept


async def forwarded_to_another(app: Caller, case: str) -> None:
    to = [{"agency": "bbws", "role": "support"}]
    reply = await app.post(f"/v1/cases/{case}/forwardings", {"to": to})
    assert reply.status == 201, reply.text


async def test_an_agency_sees_nothing_of_others(app: Caller, stranger: Caller) -> None:
    async with following(stranger) as live:
        await app.submit()
        own = await stranger.submit()
        assert (await live.some(1))[0].data["subject"] == own["id"]


async def test_one_reading_serves_all_streams_of_an_agency(
    app: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[tuple[str, int, int]] = []
    read = Session.mailbox

    def counted(session: Session, agency: str, after: int, limit: int) -> Any:
        readings.append((agency, after, limit))
        return read(session, agency, after, limit)

    async with asyncio.TaskGroup() as group:
        going = [group.create_task(_first_after_start(app)) for _ in range(20)]
        await until_open(app, 20)
        await asyncio.sleep(0.1)  # what they read as they began is over
        monkeypatch.setattr(Session, "mailbox", counted)
        await app.submit()
    assert [task.result() for task in going] == [FIRST + 1] * 20
    assert 1 <= len(readings) <= 2, readings


async def _first_after_start(app: Caller) -> int:
    async with following(app) as live:
        return (await live.some(1))[0].position


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"Authorization": "Bearer x.y.z"}, "", 401),
        ({"Accept": "application/json"}, "", 406),
        ({"Accept": "text/event-stream;q=0, */*"}, "", 406),
        ({"Accept": "*/*;q=0.0"}, "", 406),
        ({"Last-Event-ID": "first"}, "", 422),
        ({"Last-Event-ID": "-1"}, "", 422),
        ({"Last-Event-ID": "9999999999999999"}, "", 422),
        ({}, "?after=x", 422),
        ({}, "?after=1&after=2", 422),
        ({}, "?limit=5", 422),
        ({"Last-Event-ID": "1"}, "?after=x", 422),
    ],
)
async def test_refused(app: Caller, headers: dict[str, str], query: str, status: int) -> None:
    reply = await app.get(f"/v1/stream{query}", headers=headers)
    assert reply.status == status, reply.text


async def test_the_scope_is_needed(house: House) -> None:
    puller = await house.caller("kab-kotim", frozenset({"mailbox:read"}))
    assert (await puller.get("/v1/stream")).status == 403


async def test_head_tells_what_get_would_be(app: Caller) -> None:
    url, headers = app.house.url + "/v1/stream", {"Authorization": f"Bearer {app.token}"}
    async with app.house.http.head(url, headers=headers) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
        assert response.headers["X-Correlation-Id"]


async def test_what_was_trimmed_is_410_with_the_first_position(app: Caller) -> None:
    for _ in range(2):
        await app.submit()
    await app.put("/v1/mailbox/cursor", {"position": 2})
    app.house.core.rows.trim_mailboxes(rfc3339(app.house.core.clock.now()))
    reply = await app.get("/v1/stream", headers={"Last-Event-ID": "1"})
    assert (reply.status, reply.json["first"]) == (410, 3)
    assert reply.json == (await app.get("/v1/mailbox?after=1")).json
    async with following(app, headers={"Last-Event-ID": "2"}) as live:
        assert (await live.some(1))[0].position == 3


READS = frozenset({"stream:read"})


async def test_no_more_streams_than_the_settings_allow(folder: Path) -> None:
    async with running(folder, stream_limit=3, stream_limit_per_agency=2) as house:
        app, other = await house.caller("kab-kotim"), await house.caller("bbws")
        second = await house.caller("kab-kotim", frozenset({"stream:read"}))
        async with following(app), following(second):
            refused = await app.get("/v1/stream")
            assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
            async with following(other):
                assert (await house.caller("orang-luar")).token
                assert (await (await house.caller("orang-luar")).get("/v1/stream")).status == 503
        await until_open(app, 0)  # the hub hears that they have gone
        async with following(app), following(second), following(other):
            pass


async def test_one_client_leaves_places_to_the_agency_s_others(folder: Path) -> None:
    async with running(folder, stream_limit_per_agency=4) as house:
        greedy, app = await house.caller("kab-kotim"), await house.caller("kab-kotim", READS)
        async with following(greedy), following(greedy), following(greedy):
            refused = await greedy.get("/v1/stream")
            assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
            assert "This client has 3 stream(s)" in refused.json["detail"]
            async with following(app):
                assert (await app.get("/v1/stream")).status == 429


# --- ends -------------------------------------------------------------------------------------------------


async def test_a_revoked_client_reads_nothing_more(house: House, app: Caller) -> None:
    client_id, _ = house.client("kab-kotim")
    lost = await house.caller("kab-kotim", frozenset({"stream:read"}))
    revoked = next(c for c in house.core.rows.changes_since(-1).clients if c.scopes == ("stream:read",))
    assert revoked.id != client_id
    async with following(lost) as live, following(app) as kept:
        await app.submit()
        await live.some(1)
        house.core.rows.revoke_client(revoked.id, rfc3339(house.core.clock.now()))
        await app.submit()
        assert await live.until_the_end() == []
        assert "token" in live.comments[-1]
        assert len(await kept.some(2)) == 2


async def test_a_revoked_client_is_cut_off_though_nothing_happens(house: House) -> None:
    lost = await house.caller("kab-kotim", frozenset({"stream:read"}))
    revoked = next(c for c in house.core.rows.changes_since(-1).clients if c.scopes == ("stream:read",))
    async with following(lost) as live:
        house.core.rows.revoke_client(revoked.id, rfc3339(house.core.clock.now()))
        assert await asyncio.wait_for(live.until_the_end(), 2) == []


async def test_the_end_of_the_hub_ends_every_stream(folder: Path) -> None:
    async with running(folder) as house:
        app = await house.caller("kab-kotim")
        async with following(app) as live:
            await house.server.web.shutdown()
            assert await asyncio.wait_for(live.until_the_end(), 2) == []
            assert "stopping" in live.comments[-1]
            assert (await app.get("/v1/stream")).status == 503


async def test_open_streams_are_counted(app: Caller) -> None:
    async with following(app) as live:
        await until_open(app, 1)
        await app.submit()
        await live.some(1)
    await until_open(app, 0)
    told = (await app.get("/metrics")).text
    assert 'simpul_streams_ended_total{cause="gone"} 1.0' in told
    assert "simpul_stream_events_total 1.0" in told


async def until_open(caller: Caller, count: int) -> None:
    """As many streams are open, by the metrics."""
    async with asyncio.timeout(5):
        while f"simpul_streams_open {count:.1f}" not in (await caller.get("/metrics")).text:
            await asyncio.sleep(0.02)
