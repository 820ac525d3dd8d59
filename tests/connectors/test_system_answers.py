"""What the agency's system answers to [deliver.http] is judged as the hub judges a webhook endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from connectors.applying import Applier
from connectors.delivering import DeliverHttp, HttpHandler
from connectors.errors import RETRY_AFTER_CAP_S
from connectors.inbox import ATTEMPTS, Inbox
from connectors.loops import Loop
from connectors.presence import Presence
from connectors.spool import open_spool
from connectors.system_answers import Said, judge, remedy
from connectors.system_health import SystemHealth
from connectors.words import retry_after_s
from hub.delivery import answers
from hub.delivery.settings import DeliverySettings

CAP_S = 8.0
AWAY = "the agency system is away; waiting for it, nothing is lost"
BACK = "the agency system is back; catching up"
TAKES_AGAIN = "the agency system takes events again; catching up"
NOT_IN_EFFECT = "event cannot take effect; trying again, the others go on"


def test_the_hubs_table_and_the_connectors_are_one() -> None:
    for status in range(200, 600):
        for header in (None, "7", "soon"):
            by_hub = answers.judge(status, header, 0.0).outcome.value
            assert judge(status, header is not None).value == by_hub, status
    assert DeliverySettings().retry_after_cap_s == RETRY_AFTER_CAP_S


def test_retry_after_is_read_as_the_hub_reads_it() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    past = "Mon, 02 Feb 2026 00:00:00 GMT"
    for header in ("0", "7", " 90 ", "9" * 30, "1.5", "-1", "\u00b2", "", "soon", soon, past):
        by_hub = answers.retry_after_s(header, datetime.now(UTC), RETRY_AFTER_CAP_S)
        read = retry_after_s({"Retry-After": header})
        assert (read is None) == (by_hub is None), header
        if read is not None and by_hub is not None:
            assert min(read, RETRY_AFTER_CAP_S) == pytest.approx(by_hub, abs=2), header


def test_a_date_beyond_every_clock_is_unreadable() -> None:
    assert retry_after_s({"Retry-After": f"Wed, 21 Oct 2026 07:28:00 +{'9' * 20}"}) is None


def test_who_must_mend_it_reads_which_setting() -> None:
    for status in range(200, 600):
        lasting = judge(status, False) in (Said.DOWN, Said.GONE) and status < 500 and status not in (408, 425)
        assert "deliver.http." in remedy(status) or not lasting, status
    assert "redirects are not followed" in remedy(302)
    assert "deliver.http.headers_env" in remedy(401)


class Rig:
    """A spool, a system that answers by case, and the loop between them, with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.spool = open_spool(folder / "connector.spool")
        self.inbox, self.presence, self.now_s = Inbox(self.spool), Presence(lambda: self.now_s), 1000.0
        self.of_case: dict[str, int] = {}
        self.of_all = 200
        self.headers: dict[str, str] = {}
        self.headers_of: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.got: list[str] = []
        self.system_health = SystemHealth()
        self.running: Loop

    async def take(self, request: web.Request) -> web.Response:
        event = await request.json()
        self.asked.append(event["subject"])
        status = self.of_case.get(event["subject"], self.of_all)
        if status == 200:
            self.got.append(event["id"])
        return web.Response(status=status, headers=self.headers_of.get(event["subject"], self.headers))

    def answered(self) -> None:
        """As Connector.system_answers does it."""
        self.system_health.answered()
        self.presence.back("agency endpoint")
        self.presence.back("agency system")

    def loop(self, handler: HttpHandler) -> Loop:
        applier = Applier(
            self.spool, self.inbox, handler.handle, lambda: self.now_s, CAP_S, self.system_health
        )
        return Loop("handing events over", applier.step, 0.5, self.presence, CAP_S)

    def arrive(self, *subjects: str) -> None:
        for subject in subjects:
            number = sum(self.inbox.counts().values()) + 1
            assert self.inbox.take({"id": f"{subject}-{number}", "subject": subject}, True)

    async def turns(self, count: int) -> list[float]:
        """So many steps of the loop, and the pauses after them, through which the clock runs."""
        pauses = []
        for _ in range(count):
            pauses.append(await self.running.once())
            self.now_s += pauses[-1]
        return pauses


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    application = web.Application()
    application.router.add_post("/in", made.take)
    async with TestServer(application) as server:
        settings = DeliverHttp(url=str(server.make_url("/in")))
        async with HttpHandler(settings, made.answered) as handler:
            made.running = made.loop(handler)
            yield made
    made.spool.close()


@pytest.mark.parametrize("status", [301, 403, 404, 405, 410, 421])
async def test_an_address_that_is_wrong_pauses_as_a_whole_and_is_said_once(rig: Rig, status: int) -> None:
    rig.of_all = status
    rig.arrive(*"abcdefgh", "a")
    with capture_logs() as logged:
        pauses = await rig.turns(40)
    assert rig.asked[:5] == ["a", "h", "b", "g", "c"], "by turns the oldest and the newest: new ones all"
    assert len(rig.asked) <= 42, "three at first, and then one at a time"
    assert max(pauses) > CAP_S / 4
    (line,) = logged
    assert line["log_level"] == "error"
    assert f"answers {status}; {remedy(status)}; this does not mend itself" in line["event"]
    rig.of_all = 200
    with capture_logs() as logged:
        await rig.turns(40)
    assert {name[0] for name in rig.got} == set("abcdefgh")
    assert [name for name in rig.got if name[0] == "a"] == ["a-1", "a-9"]
    assert [line["event"] for line in logged] == ["the agency endpoint is back; catching up"]


async def test_one_case_alone_cannot_tell_but_the_setting_is_named_at_once(rig: Rig) -> None:
    rig.of_case = {"a": 405}
    rig.arrive("a", "a")
    with capture_logs() as logged:
        await rig.turns(20)
    (line,) = logged
    assert "write the address that takes POST into deliver.http.url" in line["event"]
    rig.arrive("b")
    with capture_logs() as logged:
        await rig.turns(40)
    assert rig.got == ["b-3"]
    assert [line["event"] for line in logged] == ["the agency endpoint is back; catching up", NOT_IN_EFFECT]


@pytest.mark.parametrize("status", [404, 405, 500, 502])
@pytest.mark.parametrize("failing", [1, 2, 3, 30])
async def test_cases_at_which_it_fails_hold_up_no_other(rig: Rig, failing: int, status: int) -> None:
    rig.of_case = {f"bad{number}": status for number in range(failing)}
    rig.arrive(*rig.of_case, "good", "bad0", "good")
    with capture_logs() as logged:
        await rig.turns(3)
        assert [name.split("-")[0] for name in rig.got] == ["good", "good"]
        await rig.turns(60)
        rig.arrive("good")
        await rig.turns(100)
    assert [name.split("-")[0] for name in rig.got] == ["good"] * 3
    assert rig.inbox.counts() == {"done": 3, "pending": failing + 1}
    named = [line["event_id"].split("-")[0] for line in logged if line["event"] == NOT_IN_EFFECT]
    assert sorted(named) == sorted(rig.of_case), "each once"
    assert sum("back" in line["event"] for line in logged) <= 1
    rig.of_case = {}
    await rig.turns(60)
    assert rig.inbox.counts() == {"done": failing + 4}
    of_one = [name for name in rig.got if name.startswith("bad0-")]
    assert of_one == ["bad0-1", f"bad0-{failing + 2}"], "in their order"


async def test_what_was_no_events_fault_does_not_count_towards_setting_it_aside(rig: Rig) -> None:
    rig.arrive("a", "b")
    rig.of_case = {"a": 503}
    await rig.turns(20 * ATTEMPTS)
    assert rig.asked.count("a") > ATTEMPTS
    rig.of_case = {"a": 422}
    asked = len(rig.asked)
    while rig.inbox.counts().get("failed") != 1:
        assert len(rig.asked) < asked + ATTEMPTS
        await rig.turns(1)
    assert len(rig.asked) == asked + ATTEMPTS


@pytest.mark.parametrize(("status", "asked_s"), [(429, 120.0), (503, 120.0), (429, 3600.0)])
@pytest.mark.parametrize("as_date", [False, True])
async def test_a_system_that_asks_to_wait_is_left_alone_so_long(
    rig: Rig, status: int, asked_s: float, as_date: bool
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=asked_s * 100 if asked_s == 3600 else asked_s)
    seconds = (until - datetime.now(UTC)).total_seconds()
    rig.headers = {"Retry-After": format_datetime(until, usegmt=True) if as_date else f"{seconds:.0f}"}
    rig.of_all = status
    rig.arrive("a", "b", "a")
    with capture_logs() as logged:
        (pause,) = await rig.turns(1)
    assert rig.asked == ["a"]
    assert pause == pytest.approx(asked_s, abs=3)
    (line,) = logged
    assert line["event"] == f"the agency system asks to wait, {pause:.0f} s; nothing is lost"
    assert f"answers {status} and asks to wait" in line["cause"]
    rig.of_all, rig.headers = 200, {}
    with capture_logs() as logged:
        await rig.turns(3)
    assert [line["event"] for line in logged] == [TAKES_AGAIN]
    assert rig.got == ["b-2", "a-1", "a-3"], "another is asked next, for it may be this one that it means"


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "20"}])
@pytest.mark.parametrize("status", [429, 503])
async def test_one_case_at_which_it_always_asks_to_wait_holds_up_no_other(
    rig: Rig, status: int, headers: dict[str, str]
) -> None:
    rig.of_case, rig.headers_of = {"a": status}, {"a": headers}
    rig.arrive("a", "b", "c", "a", "b")
    with capture_logs() as logged:
        (first,) = await rig.turns(1)
        pauses = await rig.turns(200)
    assert rig.got[-1] == "b-5"
    assert sorted(rig.got) == ["b-2", "b-5", "c-3"]
    assert rig.asked.count("a") > 3, "it is tried on"
    named = [line["event_id"] for line in logged if line["event"] == NOT_IN_EFFECT]
    assert named == ["a-1"]
    if status == 429 or headers:
        asks = f"the agency system asks to wait, {max(1, first):.0f} s; nothing is lost"
        assert [line["event"] for line in logged] == [asks, TAKES_AGAIN, NOT_IN_EFFECT]
    assert max(pauses) <= 0.5, "no other waits for it again"
    if headers:
        assert rig.asked.count("a") <= 3 + sum(pauses) / 20, "it waits as long as it asked"
    asked = rig.asked.count("a")
    rig.arrive("b")
    await rig.turns(4)
    assert rig.got[3:] == ["b-6"]
    assert rig.asked.count("a") <= asked + 2
    rig.of_case = {}
    await rig.turns(60)
    assert rig.got[4:] == ["a-1", "a-4"]


async def test_an_outage_that_one_answer_interrupts_is_named_and_paused_again(rig: Rig) -> None:
    rig.of_all = 503
    rig.arrive(*(f"case{number}" for number in range(30)))
    await rig.turns(60)
    rig.of_case = {"x": 200}
    rig.arrive("x")
    asked, until_s = len(rig.asked), rig.now_s + 100 * CAP_S
    with capture_logs() as logged:
        while rig.now_s < until_s:
            await rig.turns(1)
    assert [line["event"] for line in logged if line["event"] != NOT_IN_EFFECT] == [BACK, AWAY]
    assert len(rig.asked) - asked < 300, "30 at first, and then one at a time"
    rig.of_all = 200
    await rig.turns(60)
    assert rig.inbox.counts() == {"done": 31}


async def test_cases_at_which_it_fails_pause_no_other_that_it_takes(rig: Rig) -> None:
    rig.of_case = {f"bad{number}": 500 for number in range(30)}
    rig.arrive(*rig.of_case, *["good"] * 100)
    while not rig.got:
        await rig.turns(1)
    start_s = rig.now_s
    while len(rig.got) < 100:
        await rig.turns(1)
    assert rig.now_s - start_s < 2 * CAP_S
