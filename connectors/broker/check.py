"""The part of `check` for [kafka]: broker, token, topics and places. Reads only."""

from __future__ import annotations

from pathlib import Path

from connectors.broker.link import endpoint_of
from connectors.broker.reader import PLACES, stored_places
from connectors.broker.settings import Kafka
from connectors.broker.tokens import TokenSource
from connectors.broker.topics import Reading, check_writable
from connectors.broker.worker import Worker
from connectors.config import Common
from connectors.errors import ConnectorError, WrongAgency
from connectors.hub_client import HubClient
from connectors.report import Report
from connectors.spool import read_spool

ANSWER_WITHIN_S = 40.0


async def check_broker(config: Common, kafka: Kafka, report: Report) -> None:
    """Each step needs the one before it; the first that fails says what is to be done."""
    report.section(f"Broker {kafka.bootstrap}")
    if not kafka.tls:
        report.note("kafka.tls = false: the client's token goes in clear; only within one machine or network")
    try:
        async with HubClient(config.hub, config.agency) as hub:
            await _check(config, kafka, hub, report)
    except (ConnectorError, WrongAgency) as error:
        report.wrong(str(error))


async def _check(config: Common, kafka: Kafka, hub: HubClient, report: Report) -> None:
    tokens = TokenSource(hub, config.agency)
    await tokens.refresh()
    endpoint, topic = endpoint_of(config, kafka, tokens), kafka.own_topic(config.agency)
    worker = Worker("kafka check", lambda: Reading(endpoint, topic, config.agency))
    try:
        await worker.run(lambda reading: None, ANSWER_WITHIN_S)
        report.ok("reachable, and it takes the token that the hub gave this client")
        spans = await worker.run(_spans, ANSWER_WITHIN_S)
        report.ok(f"{topic} can be read; {_places(config, topic, spans)}")
        inbound = kafka.inbound_topic(config.agency)
        if config.hub.submit == "kafka":
            await worker.run(lambda _: check_writable(endpoint, inbound, config.agency), ANSWER_WITHIN_S)
            report.ok(f"{inbound} can be written (nothing was written now)")
        else:
            report.ok('complaints and replies go by HTTP (hub.submit = "http")')
    finally:
        if (thread := worker.stop()) is not None:
            thread.join(2.0)


def _spans(reading: Reading) -> dict[int, tuple[int, int]]:
    reading.look()
    return reading.span()


def _places(config: Common, topic: str, spans: dict[int, tuple[int, int]]) -> str:
    """How far the spool has read each partition."""
    spool = read_spool(Path(config.spool))
    places: dict[int, int] = {}
    if spool is not None:
        places = stored_places(spool.get(PLACES), topic)
        spool.close()
    parts = [
        f"partition {number}: at {places.get(number, first)} of {last}"
        for number, (first, last) in spans.items()
    ]
    return ", ".join(parts)
