"""Joins a connector to its two topics: the loops that read, and what its other loops send with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.broker.channel import RecordChannel
from connectors.broker.clients import Endpoint
from connectors.broker.reader import TopicReader
from connectors.broker.settings import Kafka
from connectors.broker.tokens import TokenSource
from connectors.broker.topics import Reading, Writing
from connectors.broker.worker import Worker
from connectors.channel import Channel
from connectors.config import Common, secret
from connectors.connector import Connector, utc_now
from connectors.inbox import Inbox
from connectors.mailbox import MailboxReader

COMPARE_EVERY_S = 5.0


def endpoint_of(config: Common, kafka: Kafka, tokens: TokenSource) -> Endpoint:
    return Endpoint(kafka, secret(config.hub.client_id_env, "hub.client_id_env"), tokens.present)


def link(
    connector: Connector,
    kafka: Kafka,
    inbox: Inbox,
    mailbox: MailboxReader,
    wanted: Callable[[Mapping[str, Any]], bool],
) -> Channel:
    """Adds the loops; returns the way by which the hub is told things, by `hub.submit`. `mailbox` serves for
    what the topic does not hold; it must not be a loop of its own."""
    config, presence = connector.config, connector.presence
    tokens = TokenSource(connector.hub, config.agency)
    endpoint = endpoint_of(config, kafka, tokens)
    topic = kafka.own_topic(config.agency)
    reading = Worker("kafka reading", lambda: Reading(endpoint, topic, config.agency))
    reader = TopicReader(reading, tokens, connector.spool, inbox, mailbox, wanted, topic)
    reader.on_broker = lambda: presence.back("broker")
    connector.stops.append(reading.stop)
    connector.add_loop("reading the topic", reader.step, 0.2)
    connector.add_loop("comparing with the mailbox", reader.compare, COMPARE_EVERY_S)
    if config.hub.submit != "kafka":
        return connector.hub
    inbound = kafka.inbound_topic(config.agency)
    writing = Worker("kafka writing", lambda: Writing(endpoint, inbound, config.agency))
    connector.stops.append(writing.stop)
    channel = RecordChannel(connector.hub, writing, tokens, config.agency, kafka.reply_within_s, utc_now)
    channel.on_broker = reader.on_broker
    channel.on_reply = lambda: presence.back("hub's inbound role")
    reader.on_reply = channel.take_reply
    return channel
