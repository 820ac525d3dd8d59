"""What the three kinds of a ministry share: events to its own system, its replies to the hub. How the events
arrive is each kind's own: mailbox_puller.py, webhook_receiver.py, topic_member.py."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from connectors.answering import Answers, ReplyRows, ReplySender, check_answers
from connectors.applying import Handler
from connectors.channel import Channel
from connectors.config import Common, Database
from connectors.connector import Connector, open_database, utc_now
from connectors.delivering import Deliver, HttpHandler, TableHandler, check_deliver
from connectors.erasing import Copies, Eraser
from connectors.errors import ConfigRefused
from connectors.events import is_wanted
from connectors.hub_client import HubClient
from connectors.inbox import Inbox
from connectors.loops import Loop
from connectors.notices import noticing
from connectors.options import option
from connectors.pauses import Postponed
from connectors.replies import Replies
from connectors.reply_endpoint import reply_server
from connectors.spool import Spool
from connectors.succession import Receiving, Succession
from connectors.system_copies import HandedCopies, TableCopies
from connectors.words import one_line

GIVE_AGAIN = (
    "the hub was restored from a backup: replies that it took after the backup are not sent again by "
    "themselves; look at the last ones in the hub, and give what it lacks again under a new id"
)
log = structlog.get_logger("simpul-connector")


@dataclass(frozen=True, kw_only=True)
class MinistryConfig(Common):
    """The whole configuration of the kind `mailbox`; the other kinds add a table of their own."""

    deliver: Deliver
    database: Database | None = option(None, reason="for deliver.table and answers.table")
    answers: Answers = option(Answers(), reason="where the agency's replies are read")


def check_config(config: MinistryConfig) -> None:
    """What one key alone cannot show."""
    check_deliver(config.deliver, config.database is not None)
    check_answers(config.answers, config.database is not None)


def build_ministry(config: MinistryConfig, spool: Spool) -> tuple[Connector, Inbox, Loop]:
    """All but the ways in which events arrive and replies leave."""
    hub = HubClient(config.hub, config.agency)
    database = open_database(config.database, config.agency) if config.database else None
    connector = Connector(config, spool, hub, database)
    inbox = Inbox(spool)
    inbox.revive()
    wanted, handle = wanting(config), _counting(spool, _handler(config, connector))
    eraser = Eraser(hub, spool, config, _copies(config, connector, handle))
    succession = Succession(spool, config.agency, Receiving(hub, config.agency, wanted, handle).moved)
    at_once = config.deliver.http.at_once if config.deliver.http else 1
    applying = connector.add_applier(inbox, noticing(eraser, succession, handle), at_once)
    return connector, inbox, applying


def tell_restored(spool: Spool) -> None:
    """Which replies may be lost, the hub alone knows: somebody must look."""
    last = Replies(spool).last_told(5)
    if last:
        log.warning(GIVE_AGAIN, last=", ".join(map(one_line, last)))


def wanting(config: MinistryConfig) -> Callable[[Mapping[str, Any]], bool]:
    """Which events the agency's system gets."""
    return partial(is_wanted, types=config.deliver.event_types, agency=config.agency)


def _copies(config: MinistryConfig, connector: Connector, handle: Handler) -> Copies:
    """What is in the agency's system, and how it goes."""
    by_call = config.deliver.http is not None
    handed = HandedCopies(connector.spool, wanting(config), handle, by_call)
    if config.deliver.erased is None or connector.database is None:
        return handed
    return TableCopies(config.deliver.erased, connector.database, config.zone, handed)


def _counting(spool: Spool, handler: Handler) -> Handler:
    async def handle(event: dict[str, Any]) -> str:
        note = await handler(event)
        spool.moved["event"] += 1
        return note

    return handle


def _handler(config: MinistryConfig, connector: Connector) -> Any:
    if config.deliver.http:
        http = HttpHandler(config.deliver.http, connector.system_answers)
        connector.sessions.append(http)
        return http.handle
    if config.deliver.table is None or connector.database is None:
        raise ConfigRefused("deliver", "needs either http or table", "give one of them")
    return TableHandler(config.deliver.table, connector.database, config.zone).handle


def add_replies(config: MinistryConfig, connector: Connector, channel: Channel) -> None:
    """The loops that take the agency's replies and tell the hub."""
    if not (config.answers.table or config.answers.http):
        return
    replies = Replies(connector.spool)
    sender = ReplySender(
        channel, connector.spool, replies, config.agency, Postponed(config.hub.backoff_cap_s)
    )
    sending = connector.add_loop("sending replies", sender.step, 1.0)
    if config.answers.table and connector.database:
        rows = ReplyRows(config.answers.table, connector.database, connector.spool, replies, utc_now)
        connector.add_loop("reading replies", rows.step, config.answers.table.every_s)
    if config.answers.http:
        connector.servers.append(reply_server(config.answers.http, replies, utc_now, sending.wake))
