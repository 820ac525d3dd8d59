"""Somebody deletes a topic of the hub's own at the broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient

from tests.parts.caller import DIRECT, complaint
from tests.parts.hub import HubProcess
from tests.whole.topics import AgencyAtBroker, answers
from tests.whole.wholework import Whole, eventually

ANSWER_WITHIN_S = 12.0
"""Less than the 15 s for which a batch is tried at a topic that does not come back."""


@pytest.fixture
def admin(big: Whole) -> Iterator[Any]:
    assert big.node is not None
    with KafkaAdminClient(bootstrap_servers=big.node.bootstrap) as made:
        yield made


def readiness(process: HubProcess) -> dict[str, Any]:
    with DIRECT.open(f"{process.url}/readyz", timeout=5) as answer:
        return dict(json.loads(answer.read()))


@pytest.mark.parametrize("name", ["events", "dead-letter"])
def test_it_is_told_by_its_name_until_it_is_made_again(big: Whole, admin: Any, name: str) -> None:
    """By whoever keeps topics, and nobody does while that process is down."""
    (keeper,), (desk, *_) = big.others, big.apis
    eventually(lambda: big.prefix + name in admin.list_topics())
    keeper.stop()
    admin.delete_topics([big.prefix + name])
    eventually(lambda: big.prefix + name in readiness(desk)["parts"]["bus"])
    assert readiness(desk)["status"] == "degraded"
    keeper.start()
    eventually(lambda: big.prefix + name in admin.list_topics())
    eventually(lambda: readiness(desk)["status"] == "ready")


def test_an_agencys_answer_waits_no_longer_than_it_takes_to_make_the_topic_again(
    big: Whole, admin: Any
) -> None:
    pemda = big.agency("pemda-hapus", "regency", "--region", "62.02", "--kafka")
    assert big.node is not None
    app = AgencyAtBroker(big.node, big.prefix, pemda)
    app.ask("complaint", complaint(pemda.agency, "K-1"), event_id="pertama")
    admin.delete_topics([f"{big.prefix}events"])
    app.send("complaint", complaint(pemda.agency, "K-2"), event_id="kedua")
    found = app.read(lambda found: "kedua" in answers(found), within_s=ANSWER_WITHIN_S)
    assert answers(found)["kedua"]["status"] == 201
    eventually(lambda: f"{big.prefix}events" in admin.list_topics())
