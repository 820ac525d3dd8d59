"""`simpul topics apply`, and what other commands change at the broker. The Kafka client is loaded where it is
needed only: it is a third of what a command would load."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click
import structlog

from hub.app_core import Core
from hub.cli.common import core_of, show
from hub.errors import CommandRefused, SimpulError
from hub.ports.broker import Applied
from hub.service.kafka_agencies import KafkaAgencies

if TYPE_CHECKING:
    from hub.bus.kafka.topics import KafkaTopics

T = TypeVar("T")
log = structlog.get_logger(__name__)


@click.group()
def topics() -> None:
    """Kafka topics and rights."""


@topics.command("apply", short_help="Brings topics and rights to what the registry says.")
@click.option("--dry-run", is_flag=True, help="Says what would be done, and does nothing.")
@click.pass_context
def apply(ctx: click.Context, dry_run: bool) -> None:
    """Brings topics and rights at the broker to what the registry says. Never deletes, never shrinks. Once a
    hub runs there may be nothing left to do ("changes": []): a hub with the role relay makes them by itself.
    """
    from hub.app_broker import own_endpoint
    from hub.bus.kafka.topics import KafkaTopics

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
    if _topics(core) is None:
        raise CommandRefused(
            "--kafka: this hub offers no Kafka to agencies. Set SIMPUL_KAFKA_BOOTSTRAP and "
            "SIMPUL_KAFKA_AGENCY_BOOTSTRAP first."
        )


def follow(core: Core) -> None:
    """Topics and rights after a change of the registry. An absent broker is only noted: the relay brings it
    up to date when it is back."""
    topics = _topics(core)
    if topics is None:
        return
    agencies = KafkaAgencies(topics, core.registry)
    _noted(lambda: _with(topics, agencies.apply))


def withdraw(core: Core, client_id: str) -> None:
    """The client's rights at the broker, as far as it is there."""
    topics = _topics(core)
    if topics is not None:
        _noted(lambda: _with(topics, lambda: topics.revoke(client_id)))


def _topics(core: Core) -> KafkaTopics | None:
    if core.settings.kafka_bootstrap is None:
        return None
    from hub.app_broker import topics_of

    return topics_of(core.settings)


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
