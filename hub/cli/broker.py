"""`simpul topics apply`, and what other commands change at the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import structlog

from hub.app import Core
from hub.app_broker import own_endpoint, topics_of
from hub.bus.kafka.topics import KafkaTopics
from hub.cli.common import core_of, show
from hub.errors import CommandRefused, SimpulError
from hub.ports.broker import Applied
from hub.service.kafka_agencies import KafkaAgencies

T = TypeVar("T")
log = structlog.get_logger(__name__)


@click.group()
def topics() -> None:
    """Kafka topics and rights."""


@topics.command("apply")
@click.option("--dry-run", is_flag=True, help="Says what would be done, and does nothing.")
@click.pass_context
def apply(ctx: click.Context, dry_run: bool) -> None:
    """Brings topics and rights at the broker to what the registry says. Never deletes, never shrinks."""
    with core_of(ctx) as core:
        endpoint = own_endpoint(core.settings)
        if endpoint is None:
            raise CommandRefused("There is no broker: set SIMPUL_KAFKA_BOOTSTRAP.")
        topics = KafkaTopics(endpoint, core.settings.kafka_topic_prefix)
        agencies = KafkaAgencies(topics, core.registry)
        applied = asyncio.run(_with(topics, lambda: agencies.apply(dry_run=dry_run)))
        show({"dry_run": dry_run, "changes": list(applied.changes), "notes": list(applied.notes)})


def require_offered(core: Core) -> None:
    """CommandRefused where agencies cannot choose Kafka."""
    if topics_of(core.settings) is None:
        raise CommandRefused(
            "--kafka: this hub offers no Kafka to agencies. Set SIMPUL_KAFKA_BOOTSTRAP and "
            "SIMPUL_KAFKA_AGENCY_BOOTSTRAP first."
        )


def follow(core: Core) -> None:
    """Topics and rights after a change of the registry. An absent broker is only noted: the relay brings it
    up to date when it is back."""
    topics = topics_of(core.settings)
    if topics is None:
        return
    agencies = KafkaAgencies(topics, core.registry)
    _noted(lambda: _with(topics, agencies.apply))


def withdraw(core: Core, client_id: str) -> None:
    """The client's rights at the broker, as far as it is there."""
    topics = topics_of(core.settings)
    if topics is not None:
        _noted(lambda: _with(topics, lambda: topics.revoke(client_id)))


def _noted(change: Callable[[], Awaitable[Applied]]) -> None:
    async def run() -> Applied:
        return await change()

    try:
        asyncio.run(run())
    except SimpulError as error:
        log.warning("topics_not_applied", cause=str(error))


async def _with(topics: KafkaTopics, work: Callable[[], Awaitable[T]]) -> T:
    await topics.start()
    try:
        return await work()
    finally:
        await topics.stop()
