"""Kind `mailbox`: a ministry without an address of its own on the internet pulls its mailbox by long poll."""

from __future__ import annotations

from connectors.connector import Connector
from connectors.mailbox import MailboxReader
from connectors.ministry import MinistryConfig, add_replies, build_ministry, tell_restored, wanting
from connectors.spool import Spool


def build(config: MinistryConfig, spool: Spool) -> Connector:
    """The loops of this kind: mailbox in, events to the agency, its replies out."""
    connector, inbox, applying = build_ministry(config, spool)
    wanted = wanting(config)
    mailbox = MailboxReader(connector.hub, spool, inbox, wanted, config.hub.wait_s)
    mailbox.on_new, mailbox.on_restored = applying.wake, lambda: tell_restored(spool)
    add_replies(config, connector, connector.hub)
    connector.add_loop("reading the mailbox", mailbox.step, 0.2)
    return connector
