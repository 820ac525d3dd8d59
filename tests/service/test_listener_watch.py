"""What the watch of the agencies' listener makes of what a probe finds. The probe itself is tried at real
brokers (tests/bus, tests/secure)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from structlog.testing import capture_logs

from hub.errors import Unavailable
from hub.ports.broker import BrokerAway, ListenerUnsafe
from hub.service.listener_watch import ListenerWatch

AWAY = BrokerAway("no broker answers")
UNSAFE = ListenerUnsafe("the broker lets in everybody")
Found = str | Exception | None


class Probe:
    """Finds these one after the other, then nothing wrong."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._found = list(found)
        self.done = asyncio.Event()

    async def check(self, right_token: str) -> str | None:
        if not self._found:
            self.done.set()
            return None
        found = self._found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


async def watched(*found: Found) -> tuple[ListenerWatch, int, list[str]]:
    """The watch after all of these, how often the traffic was ended, and the events it logged."""
    probe, stops = Probe(found), list[int]()

    async def stop() -> None:
        stops.append(1)
        probe.done.set()

    watch = ListenerWatch(probe, lambda: "token", stop, pauses_s=(0.001, 0.001))
    with capture_logs() as logs:
        trying = asyncio.create_task(watch.keep_trying())
        await asyncio.wait_for(probe.done.wait(), 10)
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
    return watch, len(stops), [each["event"] for each in logs]


async def test_a_cause_is_told_once_until_it_changes() -> None:
    watch, stops, events = await watched(AWAY, AWAY, "one refuses", "one refuses", AWAY)
    assert events[:3] == ["agency_listener_not_tried", "agency_listener", "agency_listener_not_tried"]
    assert events[3:] == ["agency_listener_verifies_tokens"]
    assert (stops, watch.away, watch.unsafe) == (0, None, None)


async def test_who_was_right_and_is_away_is_said_and_then_it_is_back() -> None:
    watch, stops, events = await watched(None, AWAY, AWAY, "one refuses")
    assert events == ["agency_listener_away", "agency_listener_verifies_tokens"]
    assert (stops, watch.away) == (0, None)


async def test_a_defect_or_an_absent_database_ends_no_watch() -> None:
    _, stops, events = await watched(RuntimeError("a defect"), Unavailable("no key"), UNSAFE)
    assert events == ["agency_listener_crashed", "agency_listener_not_tried", "agency_listener_unsafe"]
    assert stops == 1


async def test_what_is_unsafe_ends_the_traffic_once_and_is_kept_as_the_cause() -> None:
    watch, stops, _ = await watched(None, UNSAFE)
    assert (watch.unsafe, stops) == (str(UNSAFE), 1)
