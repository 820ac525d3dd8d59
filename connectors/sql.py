"""Kind `sql`: a local app's own database, joined to the hub in both directions."""

# ruff: noqa: RUF009 (option() makes a dataclass field)

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from connectors.app_copies import AppCopies, check_app_erased
from connectors.applying import Handler
from connectors.broker.settings import Kafka
from connectors.channel import Channel
from connectors.checker import Checker
from connectors.config import Common, Database, Hub
from connectors.connector import Connector, open_database, utc_now
from connectors.database import Database as AppDatabase
from connectors.doubled_keys import DoubledKeys
from connectors.erasing import Eraser
from connectors.errors import ConfigRefused
from connectors.events import is_stranding
from connectors.hub_client import HubClient
from connectors.inbox import Inbox
from connectors.intake import Intake, NewRows, Rescan
from connectors.loops import Step
from connectors.mailbox import MailboxReader
from connectors.mapping import ComplaintMapping
from connectors.notices import noticing
from connectors.options import option
from connectors.outbox import Outbox
from connectors.pauses import Postponed
from connectors.reconciling import Reconciler
from connectors.remapping import Remapping
from connectors.replies import Replies
from connectors.reporter_messages import MessageWriter
from connectors.reporter_words import (
    ReporterReplies,
    ReporterRows,
    ReporterSender,
    check_reporter_replies,
)
from connectors.routing import Router, Routing, check_routing, start_anew
from connectors.rules import COLUMN, SHAREABLE, Category, Photos, read_rules
from connectors.sending import Sender
from connectors.shown import Shown
from connectors.source import RowReader, Source, check_source
from connectors.spool import Spool
from connectors.succession import Succession
from connectors.wording import column_keys
from connectors.write_back import AppWriter, WriteBack, check_write_back
from connectors.written import Written

NEEDED = ("title", "description", "submitted_at")


@dataclass(frozen=True, kw_only=True)
class SqlConfig(Common):
    """A whole configuration of this kind."""

    database: Database
    source: Source
    map: dict[str, Any] = option(reason="complaint member = column, or a table (see Mapping)")
    category: Category | None = option(None, reason="the crosswalk of categories")
    photos: Photos | None = option(None, reason="photos as file names")
    share: list[str] = option(
        ["name"],
        reason="which of name, phone, email, national_id may leave the app, for reporters who are neither "
        "anonymous nor confidential",
    )
    routing: Routing | None = option(None, reason="verify and forward without an officer")
    write_back: WriteBack = option(WriteBack(), reason="what is written into the app")
    reporter_replies: ReporterReplies | None = option(
        None, reason="what the reporter says later: replies, and that it is not fixed yet"
    )
    kafka: Kafka | None = option(None, reason="events come from the agency's own topic")

    def mapping(self) -> ComplaintMapping:
        rules = read_rules(self.map)
        return ComplaintMapping(self.agency, self.zone, rules, self.category, self.photos, tuple(self.share))

    def fingerprint(self) -> bytes:
        """Changes when rows would be mapped differently, so that held and refused ones get another chance."""
        parts = (self.agency, self.time_zone, self.map, self.category, self.photos, self.share, self.routing)
        return hashlib.sha256(repr(parts).encode()).digest()


def check_config(config: SqlConfig) -> None:
    """What one key alone cannot show."""
    check_source(config.source)
    check_write_back(config.write_back)
    if config.write_back.erased:
        check_app_erased(config.write_back.erased)
    if config.routing:
        check_routing(config.routing, config.agency)
    if config.reporter_replies:
        check_reporter_replies(config.reporter_replies)
    rules = read_rules(config.map)
    for member in NEEDED:
        if member not in rules:
            raise ConfigRefused(
                f"map.{member}", "is missing", f"a complaint needs it: map.{member} = the app's column"
            )
    if ("category" in rules) == (config.category is not None):
        problem = "is there twice" if config.category else "is missing"
        remedy = 'give either [category] with codes, or map.category = { value = "other" }'
        raise ConfigRefused("category", problem, f"{remedy}; GET /v1/categories of your hub lists its codes")
    for name in config.share:
        if name not in SHAREABLE:
            raise ConfigRefused("share", f"holds {name!r}", f"choose from: {', '.join(SHAREABLE)}")
    for part, column in (("category", config.category), ("photos", config.photos)):
        if column and not COLUMN.match(column.column):
            raise ConfigRefused(
                f"{part}.column", f"{column.column!r} is no column name", "write column or table.column"
            )


def agencies(config: SqlConfig) -> dict[str, list[str]]:
    """Key -> the agencies that it forwards to, each once over all keys."""
    if config.routing is None:
        return {}
    seen: set[str] = set()
    found = {}
    for key, names in config.routing.named().items():
        found[key] = [name for name in dict.fromkeys(names) if name not in seen]
        seen.update(names)
    return found


def build(config: SqlConfig, spool: Spool) -> Connector:
    """The loops of this kind: rows in, complaints out, events back into the app."""
    hub = HubClient(config.hub, config.agency)
    database = open_database(config.database, config.agency)
    connector = Connector(config, spool, hub, database)
    outbox, inbox = Outbox(spool), Inbox(spool)
    inbox.revive()
    outbox.retry_at_once()
    channel = _add_events(config, connector, outbox, inbox)
    routed = bool(config.routing and config.routing.verify)
    remapping = Remapping(channel, spool, config.fingerprint(), config.hub.submit == "http")
    sender = Sender(channel, _pace(config), spool, outbox, config.agency, routed, remapping)
    wake_router = _add_routing(config, connector, outbox, channel)
    sending = connector.add_loop("sending", _then(sender.step, wake_router), 60.0)
    _add_reading(config, connector, outbox, sending.wake)
    _add_reporter(config, connector, outbox, channel)
    return connector


def _pace(config: SqlConfig) -> Hub:
    """Records have their answers one by one: none waits for the one before it."""
    return replace(config.hub, batch_from=1) if config.hub.submit == "kafka" else config.hub


def _add_routing(
    config: SqlConfig, connector: Connector, outbox: Outbox, channel: Channel
) -> Callable[[], None]:
    """What the sender calls when something new may have to be forwarded."""
    if config.routing is None or not config.routing.verify:
        return lambda: None
    start_anew(connector.spool, outbox, config.routing)
    router = Router(channel, outbox, config.routing, Postponed(config.hub.backoff_cap_s))
    return connector.add_loop("routing", router.step, 60.0).wake


def _add_reading(config: SqlConfig, connector: Connector, outbox: Outbox, wake: Callable[[], None]) -> None:
    database, source = connector.database, config.source
    if database is None:
        raise ConfigRefused("database", "is missing", "this kind reads one")
    mapping, routing = config.mapping(), config.routing or Routing()
    checker, doubled = Checker(utc_now), DoubledKeys(source, database)
    intake = Intake(
        connector.spool, outbox, mapping, checker, source, routing.to, utc_now, config.fingerprint(), doubled
    )
    reader = RowReader(source, column_keys(mapping))
    new_rows = NewRows(database, reader, intake)
    connector.add_loop("reading new rows", _then(new_rows.step, wake), source.every_s)
    rescan = PacedRescan(Rescan(database, reader, intake), source)
    connector.add_loop("comparing rows", _then(rescan.step, wake), max(source.rescan_pause_s, 0.05))
    reconciler = Reconciler(connector.hub, connector.spool, outbox)
    comparing = connector.add_loop("comparing with the hub", _then(reconciler.step, wake), 60.0)
    connector.on_restored = comparing.wake


def _add_reporter(config: SqlConfig, connector: Connector, outbox: Outbox, channel: Channel) -> None:
    """What the reporter says later, from the app to the hub."""
    settings, database, spool = config.reporter_replies, connector.database, connector.spool
    if settings is None or database is None:
        return
    replies = Replies(spool)
    sender = ReporterSender(channel, spool, outbox, replies, Postponed(config.hub.backoff_cap_s))
    sending = connector.add_loop("sending replies", sender.step, 1.0)
    prefix = config.source.reference_prefix
    rows = ReporterRows(settings, database, spool, replies, utc_now, outbox, prefix)
    connector.add_loop("reading replies", _then(rows.step, sending.wake), settings.every_s)


def _add_events(config: SqlConfig, connector: Connector, outbox: Outbox, inbox: Inbox) -> Channel:
    """Events into the app, from the mailbox or the agency's own topic; what sends may go back that way."""
    shown = Shown(connector.spool)
    wanted, handle = _writers(config, connector, outbox, shown)
    wake = connector.add_applier(inbox, handle).wake
    mailbox = MailboxReader(connector.hub, connector.spool, inbox, wanted, config.hub.wait_s)
    mailbox.on_new = wake

    def restored() -> None:
        outbox.forget_sequences()
        shown.forget_sequences()
        connector.on_restored()

    mailbox.on_restored, mailbox.on_read_again = restored, Written(connector.spool).tell_lost
    if config.kafka is not None:
        from connectors.broker.link import link  # Kafka's library takes a fifth of a second

        return link(connector, config.kafka, inbox, mailbox, wanted)
    connector.add_loop("reading the mailbox", mailbox.step, 0.2)
    return connector.hub


def _writers(
    config: SqlConfig, connector: Connector, outbox: Outbox, shown: Shown
) -> tuple[Callable[[Mapping[str, Any]], bool], Handler]:
    """Which events take effect in the app, and what makes them do so."""
    database, back, written = connector.database, config.write_back, Written(connector.spool)
    if database is None:
        raise ConfigRefused("database", "is missing", "this kind writes into one")
    cases = AppWriter(back, database, connector.hub, outbox, written, config.agency, config.zone)
    copies = AppCopies(back.erased, cases, database, config.zone)
    eraser = Eraser(connector.hub, connector.spool, config, copies)
    succession = Succession(connector.spool, config.agency, _moved(config, cases, outbox))
    wanted, handle = _writing(config, outbox, shown, cases, database, written)
    return wanted, noticing(eraser, succession, handle)


def _moved(config: SqlConfig, cases: AppWriter, outbox: Outbox) -> Handler:
    """Where the case is now; what another agency owns, this one forwards no more."""

    async def moved(event: dict[str, Any]) -> str:
        entry = await cases.own_cases.entry(str(event["data"]["case_id"]))
        lost = event["data"]["owner"] and event["data"]["from"] == config.agency
        if lost and entry is not None and entry.route_state not in ("none", "done"):
            outbox.routed(entry, "done")
        return await cases.moved(event)

    return moved


def _writing(
    config: SqlConfig,
    outbox: Outbox,
    shown: Shown,
    cases: AppWriter,
    database: AppDatabase,
    written: Written,
) -> tuple[Callable[[Mapping[str, Any]], bool], Handler]:
    """What is written into the app as far as the configuration says how, and what is said of the rest."""
    back = config.write_back
    writes = bool(back.answer or back.status)
    messages = MessageWriter(
        back.message, database, written, shown, outbox, cases.own_cases, cases.whereabouts, config.zone
    )

    async def handle(event: dict[str, Any]) -> str:
        return await (messages if messages.wanted(event) else cases).handle(event)

    def wanted(event: Mapping[str, Any]) -> bool:
        return messages.wanted(event) or (cases.wanted(event) and (writes or is_stranding(event)))

    return wanted, handle


class PacedRescan:
    """Spreads the comparison: a page at a time with pauses, then a long rest; at once after a new mapping,
    and when the hub lost something."""

    def __init__(self, rescan: Rescan, source: Source) -> None:
        self._rescan = rescan
        self._every_s = source.rescan_every_s or math.inf
        self._next_s = time.monotonic() + self._every_s

    async def step(self) -> bool:
        due = time.monotonic() >= self._next_s or self._rescan.is_due_now()
        if due and not await self._rescan.step():
            self._next_s = time.monotonic() + self._every_s
        return False


def _then(step: Step, wake: Callable[[], None]) -> Step:
    """The same step, waking the sender after it."""

    async def stepping() -> bool:
        more = await step()
        wake()
        return more

    return stepping
