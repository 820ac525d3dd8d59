"""Kind `kafka`: an agency that runs on Kafka reads its own topic at the hub's broker and may submit there."""

from __future__ import annotations

from dataclasses import dataclass

from connectors import ministry
from connectors.broker.settings import Kafka
from connectors.connector import Connector
from connectors.mailbox import MailboxReader
from connectors.ministry import MinistryConfig, add_replies, build_ministry, tell_restored, wanting
from connectors.spool import Spool


@dataclass(frozen=True, kw_only=True)
class KafkaConfig(MinistryConfig):
    """A whole configuration of this kind: that of `mailbox` with [kafka] beside it."""

    kafka: Kafka


def check_config(config: KafkaConfig) -> None:
    """What one key alone cannot show; [kafka] itself is checked for every kind."""
    ministry.check_config(config)


def build(config: KafkaConfig, spool: Spool) -> Connector:
    """The loops of this kind: the topic in, events to the agency, its replies out."""
    from connectors.broker.link import link  # Kafka's library takes a fifth of a second

    connector, inbox, applying = build_ministry(config, spool)
    wanted = wanting(config)
    mailbox = MailboxReader(connector.hub, spool, inbox, wanted, config.hub.wait_s)
    mailbox.on_new, mailbox.on_restored = applying.wake, lambda: tell_restored(spool)
    add_replies(config, connector, link(connector, config.kafka, inbox, mailbox, wanted))
    return connector
