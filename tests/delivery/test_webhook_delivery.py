"""Webhooks end to end: the real hub core, a real endpoint on loopback, the libraries that receivers use."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import pytest
from aiohttp import web
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from standardwebhooks import Webhook

from hub.delivery.dispatcher import STARTS_A_STEP
from hub.delivery.endpoint import Endpoint
from hub.errors import Invalid, NotFound
from tests.delivery.delivery_world import AGENCIES, DeliveryWorld, until
from tests.delivery.receiver import Received, Receiver, hang

KOTIM = AGENCIES[0]


async def subscribe(world: DeliveryWorld, ministry: Receiver, types: tuple[str, ...] = ("*",)) -> str:
    webhook = await world.desk.put(KOTIM, ministry.url, types, None)
    return webhook["secret"]


def positions(rows: list[dict[str, Any]]) -> list[int]:
    return [row["position"] for row in rows]


async def test_an_event_arrives_signed_and_as_a_cloudevent(world: DeliveryWorld, ministry: Receiver) -> None:
    secret = await subscribe(world, ministry)
    await world.start()
    case_id = await world.submit()
    await world.settle()
    (got,) = ministry.received
    Webhook(secret).verify(got.body, got.headers)
    event = from_http_event(HTTPMessage(got.headers, got.body), JSONFormat())
    assert event.get_id() == got.headers["webhook-id"]
    assert event.get_type() == "id.simpul.complaint.submitted.v1"
    assert event.get_subject() == case_id
    assert got.headers["content-type"] == "application/cloudevents+json"
    assert got.headers["user-agent"] == "Simpul/1"
    assert "cookie" not in got.headers and "accept-encoding" not in got.headers
    (row,) = await world.rows()
    assert (row["state"], row["attempts"], row["http_status"]) == ("done", 1, 204)
    assert row["event_id"] == event.get_id()
    assert world.table.webhook(KOTIM).cursor == row["position"]  # type: ignore[union-attr]
    assert world.metric("simpul_webhook_attempts_total", outcome="delivered") == 1


async def test_a_new_webhook_starts_at_the_end_and_a_changed_one_keeps_its_place(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await world.submit()
    secret = await subscribe(world, ministry)
    await world.submit()
    again = await world.desk.put(KOTIM, ministry.url + "/baru", ["*"], 1)
    assert "secret" not in again
    await world.start()
    await world.settle()
    (got,) = ministry.received
    assert got.headers[":path"] == "/simpul/baru"
    Webhook(secret).verify(got.body, got.headers)


async def test_types_that_nobody_asked_for_are_passed_over(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry, ("id.simpul.complaint.incomplete.v1",))
    await world.start()
    case_id = await world.submit()
    await world.more_about(case_id)
    await world.submit()
    await world.settle()
    assert [r.event["type"] for r in ministry.received] == ["id.simpul.complaint.incomplete.v1"]
    assert len(await world.rows()) == 1
    assert await world.hub.readers.run(lambda _: world.table.behind()) == []


async def test_a_failure_is_tried_again_later_with_the_same_id(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start()
    ministry.behave = lambda received: 500
    await world.submit()
    await world.settle()
    (row,) = await world.rows()
    assert (row["state"], row["attempts"], row["http_status"]) == ("pending", 1, 500)
    assert row["cause"] == "the endpoint answered 500"
    ministry.behave = lambda received: 200
    await world.turn(5)
    assert len(ministry.received) == 1  # 10 s were drawn
    await world.turn(5)
    first, second = ministry.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (row,) = await world.rows()
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("done", 2, None)


async def test_later_events_of_a_subject_wait_and_others_do_not(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start()
    stuck = await world.submit()
    ministry.behave = lambda received: 400 if received.subject == stuck else 204
    await world.settle()
    for _ in range(3):
        await world.more_about(stuck)
    others = [await world.submit() for _ in range(20)]
    await world.settle()
    assert sorted(e["subject"] for e in ministry.accepted()) == sorted(others)
    assert [row["attempts"] for row in await world.rows("pending")] == [1, 0, 0, 0]
    head = (await world.hub.mailboxes.page(KOTIM, 0, 200))["next"]
    assert world.table.webhook(KOTIM).cursor == head  # type: ignore[union-attr]
    ministry.behave = lambda received: 204
    await world.turn(10)
    sequences = [e["sequence"] for e in ministry.accepted() if e["subject"] == stuck]
    assert sequences == sorted(sequences) and len(sequences) == 4


async def test_what_fails_to_the_end_is_dead_with_its_cause_and_can_be_sent_again(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start(retry_ceilings_s=(10.0, 60.0))
    ministry.behave = lambda received: 422 if received.event["type"].endswith("submitted.v1") else 204
    case_id = await world.submit()
    await world.more_about(case_id)
    await world.settle()
    for wait_s in (10, 60):
        await world.turn(wait_s)
    dead, done = await world.rows()
    assert (dead["state"], dead["attempts"], dead["cause"]) == ("dead", 3, "the endpoint answered 422")
    assert done["state"] == "done"
    assert positions(await world.rows("dead")) == [dead["position"]]
    ministry.behave = lambda received: 204
    asked = await world.desk.redeliver(KOTIM, dead["id"])
    assert (asked["id"], asked["state"], asked["attempts"]) == (dead["id"], "pending", 0)
    await world.settle()
    assert ministry.received[-1].headers["webhook-id"] == dead["event_id"]
    assert {row["state"] for row in await world.rows()} == {"done"}
    await world.desk.redeliver(KOTIM, done["id"])  # a delivered one too
    await world.settle()
    assert ministry.received[-1].headers["webhook-id"] == done["event_id"]


async def test_redelivery_survives_a_restart_and_stays_apart(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start(retry_ceilings_s=())
    ministry.behave = lambda received: 422
    case_id = await world.submit()
    await world.settle()
    (dead,) = await world.rows("dead")
    await world.stop()
    await world.desk.redeliver(KOTIM, dead["id"])
    await world.more_about(case_id)
    ministry.behave = lambda received: 422 if received.event["id"] == dead["event_id"] else 204
    await world.start()
    await world.settle()
    assert [row["state"] for row in await world.rows()] == ["pending", "done"]


async def test_an_endpoint_that_is_down_is_paused_and_probed_one_at_a_time(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start(in_flight_per_agency=5)
    ministry.behave = lambda received: 503
    cases = [await world.submit() for _ in range(40)]
    await world.settle()
    assert 5 <= len(ministry.received) < 10  # five failures, and who was under way meanwhile
    webhook = await world.desk.get(KOTIM)
    assert webhook["active"] is False and webhook["paused_until"] is not None
    for wait_s in (10, 20, 40, 80, 160, 300, 300):
        before = len(ministry.received)
        await world.turn(wait_s)
        assert len(ministry.received) == before + 1  # one probe, whatever was due meanwhile
    assert world.metric("simpul_webhook_paused_endpoints") == 1
    assert max(row["attempts"] for row in await world.rows("pending")) == 1  # probes count against nobody
    ministry.behave = lambda received: 204
    await world.turn(300)
    assert sorted(e["subject"] for e in ministry.accepted()) == sorted(cases)
    assert (await world.desk.get(KOTIM))["active"] is True


async def test_a_pause_survives_a_restart_and_ends_with_a_put(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start(in_flight_per_agency=5)
    ministry.behave = lambda received: 502
    cases = [await world.submit() for _ in range(8)]
    await world.settle()
    await world.stop()
    before = len(ministry.received)
    await world.start()
    await world.settle()
    assert len(ministry.received) == before
    ministry.behave = lambda received: 204
    await world.desk.put(KOTIM, ministry.url, ["*"], None)
    await world.settle()
    assert sorted(e["subject"] for e in ministry.accepted()) == sorted(cases)


async def test_an_endpoint_that_refuses_connections_says_so(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start()
    await ministry.stop()
    await world.submit()
    await world.settle()
    (row,) = await world.rows("pending")
    assert row["http_status"] is None and "no connection to the endpoint" in row["cause"]
    await ministry.start()
    await world.turn(10)
    assert len(ministry.accepted()) == 1


async def test_a_hanging_endpoint_costs_its_time_and_nobody_elses(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    other = Receiver()
    await other.start()
    await world.desk.put(AGENCIES[1], other.url, ["*"], None)
    await world.start(total_timeout_s=1.5, in_flight=8, in_flight_per_agency=4)
    ministry.behave = hang
    for _ in range(4):
        await world.submit(KOTIM)
    await until(lambda: len(ministry.received) == 4)
    for _ in range(3):
        await world.submit(AGENCIES[1])
    await until(lambda: len(other.accepted()) == 3, 1.4)
    await world.settle()
    assert {row["cause"] for row in await world.rows("pending")} == {"no answer within 1.5 s"}
    await other.stop()


async def test_a_backlog_of_one_agency_holds_no_place_that_another_waits_for(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.desk.put(AGENCIES[1], ministry.url + "/pupr", ["*"], None)
    for agency, count in ((KOTIM, 20), (AGENCIES[1], 3)):
        for _ in range(count):
            await world.submit(agency)
    both_read = asyncio.Event()

    async def once_both_are_read(_: Received) -> int:
        await both_read.wait()
        return 204

    ministry.behave = once_both_are_read
    deliverer = await world.start(in_flight=1)
    endpoints = deliverer.dispatcher.endpoints
    await until(lambda: [endpoints[a].lanes.in_memory for a in (KOTIM, AGENCIES[1])] == [20, 3])
    both_read.set()
    await world.settle()
    order = [received.headers[":path"] for received in ministry.received]
    assert order.count("/simpul/pupr") == 3 and len(order) == 23
    assert max(i for i, path in enumerate(order) if path == "/simpul/pupr") < 10


async def test_no_step_of_the_event_loop_begins_more_than_its_share(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    cases = [await world.submit() for _ in range(120)]
    begun: list[int] = []
    next_, step, is_over = Endpoint.next, 0, False

    def turned() -> None:
        nonlocal step
        step += 1
        if not is_over:
            asyncio.get_running_loop().call_soon(turned)

    def counted(endpoint: Endpoint, now: float) -> Any:
        parcel = next_(endpoint, now)
        begun.extend([step] if parcel is not None else [])
        return parcel

    with pytest.MonkeyPatch.context() as patched:  # before the start: it may begin some itself
        patched.setattr(Endpoint, "next", counted)
        turned()
        deliverer = await world.start(in_flight_per_agency=100, window=200)
        await deliverer.dispatcher.settle()
        is_over = True
    assert sorted(e["subject"] for e in ministry.accepted()) == sorted(cases)
    assert len(begun) > STARTS_A_STEP and max(Counter(begun).values()) <= STARTS_A_STEP


async def test_a_slow_body_changes_nothing(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start()

    async def flood(_: Received) -> web.Response:
        return web.Response(status=200, body=b"x" * 1_000_000)

    ministry.behave = flood
    await world.submit()
    await world.settle()
    assert [row["state"] for row in await world.rows()] == ["done"]


async def test_redirects_are_failures(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start()
    ministry.behave = lambda received: (307, {"Location": ministry.url + "/lain"})
    await world.submit()
    await world.settle()
    assert [r.headers[":path"] for r in ministry.received] == ["/simpul"]
    (row,) = await world.rows()
    assert row["cause"] == "the endpoint answered 307; redirects are not followed"


async def test_retry_after_is_kept_by_the_whole_endpoint(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start()
    ministry.behave = lambda received: (429, {"Retry-After": "120"})
    await world.submit()
    await world.settle()
    await world.submit()
    ministry.behave = lambda received: 204
    await world.turn(119)
    assert len(ministry.received) == 1
    await world.turn(1)
    assert len(ministry.accepted()) == 2


async def test_gone_turns_the_webhook_off_until_the_next_put(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start()
    ministry.behave = lambda received: 410
    await world.submit()
    await world.settle()
    await world.submit()
    await world.turn(90_000)
    assert len(ministry.received) == 1
    (row,) = await world.rows("pending")
    assert "PUT /v1/webhook turns it on again" in row["cause"]
    assert (await world.desk.get(KOTIM))["active"] is False
    await world.stop()
    await world.start()
    await world.settle()
    assert len(ministry.received) == 1
    ministry.behave = lambda received: 204
    await world.desk.put(KOTIM, ministry.url, ["*"], None)
    await world.settle()
    assert len(ministry.accepted()) == 2


async def test_both_secrets_sign_for_the_overlap(world: DeliveryWorld, ministry: Receiver) -> None:
    old = await subscribe(world, ministry)
    await world.start(secret_overlap_s=86400.0)
    new = (await world.desk.rotate_secret(KOTIM))["secret"]
    await world.submit()
    await world.settle()
    got = ministry.received[-1]
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    for secret in (old, new):
        Webhook(secret).verify(got.body, got.headers)
    await world.turn(86400)
    await world.submit()
    await world.settle()
    got = ministry.received[-1]
    text = got.body.decode()
    assert got.headers["webhook-signature"] == Webhook(new).sign(
        got.headers["webhook-id"], world.clock.now(), text
    )


async def test_a_deleted_webhook_is_silent_and_drops_what_waited(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start()
    ministry.behave = lambda received: 400
    await world.submit()
    await world.settle()
    assert (await world.desk.delete(KOTIM))["active"] is False
    await world.submit()
    await world.turn(90_000)
    assert len(ministry.received) == 1
    assert await world.rows() == []
    with pytest.raises(NotFound):
        await world.desk.get(KOTIM)
    ministry.behave = lambda received: 204
    assert "secret" in await world.desk.put(KOTIM, ministry.url, ["*"], None)
    last = await world.submit()
    await world.settle()
    assert [e["subject"] for e in ministry.accepted()] == [last]


async def test_too_many_pending_rows_stop_the_reading_and_lose_nothing(
    world: DeliveryWorld, ministry: Receiver
) -> None:
    await subscribe(world, ministry)
    await world.start(pending_rows=10, window=4, in_flight_per_agency=4)
    ministry.behave = lambda received: 422
    cases = [await world.submit() for _ in range(40)]
    await world.settle()
    assert 10 <= len(await world.rows("pending")) <= 14
    ministry.behave = lambda received: 204
    await world.turn(10)
    assert sorted(e["subject"] for e in ministry.accepted()) == sorted(cases)


async def test_a_stop_is_quick_and_what_hung_is_sent_again(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start(stop_timeout_s=0.1)
    ministry.behave = hang
    await world.submit()
    await until(lambda: ministry.received)
    async with asyncio.timeout(2):
        await world.stop()
    ministry.behave = lambda received: 204
    await world.start()
    await world.settle()
    first, second = ministry.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_order_per_subject_under_random_failures(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start()
    world.draw = 0.0
    calls: dict[str, int] = defaultdict(int)

    def moody(received: Received) -> int:
        calls[received.event["id"]] += 1
        return 204 if hash((received.event["id"], calls[received.event["id"]])) % 3 else 409

    ministry.behave = moody
    cases = [await world.submit() for _ in range(15)]
    for _ in range(6):
        for case_id in cases:
            await world.more_about(case_id)
    for _ in range(12):
        await world.turn(1)
    sequences: dict[str, list[str]] = defaultdict(list)
    for event in ministry.accepted():
        sequences[event["subject"]].append(event["sequence"])
    assert all(seen == sorted(seen) for seen in sequences.values())
    rows = await world.rows()
    assert positions(rows) == list(range(rows[0]["position"], rows[0]["position"] + 105))
    assert world.table.webhook(KOTIM).cursor == rows[-1]["position"]  # type: ignore[union-attr]


async def test_finished_rows_are_pruned(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    deliverer = await world.start(retention_s=86400.0)
    await world.submit()
    await world.settle()
    world.clock.turn(86_000)
    await world.submit()
    await world.settle()
    world.clock.turn(1000)
    assert await deliverer.prune() == 1
    assert len(await world.rows()) == 1


@pytest.mark.parametrize(
    ("url", "types", "version", "pointer"),
    [
        ("https://layanan.example.go.id/simpul", ["id.simpul.nothing.v1"], None, "/event_types/0"),
        ("https://layanan.example.go.id/simpul", [], None, "/event_types"),
        ("https://layanan.example.go.id/simpul", ["*"], 9, "/schema_version"),
        ("http://10.0.0.1/", ["*"], None, "/url"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_pointer(
    world: DeliveryWorld, url: str, types: list[str], version: int | None, pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await world.desk.put(KOTIM, url, types, version)
    assert [p for p, _ in refused.value.flaws] == [pointer]


async def test_deliveries_come_in_pages_newest_first(world: DeliveryWorld, ministry: Receiver) -> None:
    await subscribe(world, ministry)
    await world.start()
    for _ in range(5):
        await world.submit()
    await world.settle()
    first, after = await world.desk.deliveries(KOTIM, ["done"], None, 3)
    rest, end = await world.desk.deliveries(KOTIM, ["done"], after, 3)
    found = positions(first + rest)
    assert found == sorted(found, reverse=True) and len(found) == 5 and end is None
    assert (await world.desk.deliveries(AGENCIES[1], [], None, 3)) == ([], None)
    with pytest.raises(NotFound):
        await world.desk.redeliver(AGENCIES[1], first[0]["id"])
