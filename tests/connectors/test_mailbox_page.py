"""What answers at hub.url may be JSON and no hub's: the reader names what is wrong, waits, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from connectors.errors import HubAway
from connectors.events import PARAMETERS, is_event, is_wanted, parameters_of, sequence_of
from connectors.inbox import Inbox
from connectors.mailbox_page import HIGHEST, check_page
from connectors.spool import Spool, open_spool

EVENT = {
    "id": "e1", "type": "id.simpul.forwarding.sent.v1", "time": "2026-11-23T00:00:00Z", "subject": "s1",
    "sequence": "0000000001", "data": {},
}  # fmt: skip


def page(*items: Any, following: Any = 1) -> dict[str, Any]:
    return {"items": list(items), "next": following, "incarnation": "i1"}


def item(event: Any, position: Any = 1) -> dict[str, Any]:
    return {"position": position, "event": event}


def test_a_page_as_the_hub_gives_it_is_taken() -> None:
    check_page(page(item(EVENT), item(EVENT | {"sequence": "12"}, HIGHEST), following=HIGHEST))
    check_page({"items": [], "next": 0})


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({}, "items is not a list"),
        ({"items": None, "next": 1}, "items is not a list"),
        (page(following=None), "next is not a number"),
        (page(following="7"), "next is not a number"),
        (page(following=True), "next is not a number"),
        (page(following=10**30), "next is not a number"),
        (page(following=-1), "next is not a number"),
        (page({}), "items[0].position is not a number"),
        (page(None), "items[0].position is not a number"),
        (page(item(EVENT), item(EVENT, "x")), "items[1].position is not a number"),
        (page(item(EVENT, 2**63)), "items[0].position is not a number"),
        (page(item(None)), "items[0].event is not a CloudEvent"),
        (page(item(EVENT | {"id": 1})), "items[0].event is not a CloudEvent"),
        (page(item(EVENT | {"time": "yesterday"})), "items[0].event is not a CloudEvent"),
        (page(item(EVENT | {"sequence": "-1"})), "items[0].event is not a CloudEvent"),
        (page() | {"incarnation": []}, "incarnation is not text"),
    ],
)
def test_what_is_none_is_named_with_the_remedy(answer: dict[str, Any], named: str) -> None:
    with pytest.raises(HubAway) as refused:
        check_page(answer)
    assert named in str(refused.value)
    assert str(refused.value).endswith("is hub.url the hub's address?")


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spool]:
    with closing(open_spool(tmp_path_factory.mktemp("page") / "spool")) as opened:
        yield opened


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(
    [
        "forwarding.sent",
        "consultation.requested",
        "reporter.erased",
        "agency.handed_over",
        "complaint.answered",
    ]
).map("id.simpul.{}.v1".format)
DATA = (
    st.dictionaries(st.sampled_from(["case_id", "forwarding", "agency", "consultation", "answer"]), JSON)
    | JSON
)


EVENTS = st.fixed_dictionaries({name: st.just(value) for name, value in EVENT.items()} | {
    "id": st.text(max_size=9), "type": TYPES | st.text(), "data": DATA,
})  # fmt: skip


@given(event=EVENTS)
@settings(max_examples=200)
def test_what_passes_as_an_event_harms_nobody_who_reads_it(event: dict[str, Any], spool: Spool) -> None:
    assert is_event(event)
    Inbox(spool).take(event, is_wanted(event, ["*"], "kemenpu"), 1)
    assert set(parameters_of(event, ZoneInfo("Asia/Jakarta"))) == set(PARAMETERS)
    assert sequence_of(event) == 1
