"""`simpul dead-letter list|redrive`: inbound records that could not be taken, and trying one again."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict, replace

import click
import structlog

from hub.app import idle_hub
from hub.app_broker import own_endpoint
from hub.app_core import Core
from hub.bus.kafka.binding import received
from hub.bus.kafka.origin import record_at
from hub.cli.common import core_of, show
from hub.errors import CommandRefused, Problem, SimpulError
from hub.ports.broker import InRecord
from hub.ports.relaying import DeadLetter
from hub.service.inbound import InboundDesk
from hub.service.record_answers import answer_document
from hub.service.requests import Request
from hub.store.relaying import RelayTables
from schemas.registry import Registry as Schemas

log = structlog.get_logger(__name__)


@click.group("dead-letter")
def dead_letter() -> None:
    """Records of inbound topics that could not be taken."""


@dead_letter.command("list", short_help="Prints those that are still dead: cause and origin.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_context
def list_(ctx: click.Context, limit: int) -> None:
    """Prints those that are still dead, the newest first, one JSON object a line: cause and origin."""
    with core_of(ctx) as core:
        for letter in RelayTables(core.store).dead_letters(limit):
            show(asdict(letter))


@dead_letter.command("redrive", short_help="Takes a record again while the broker keeps it.")
@click.argument("letter_id", metavar="ID")
@click.pass_context
def redrive(ctx: click.Context, letter_id: str) -> None:
    """Takes the record again while the broker keeps it (24 h), and prints the answer. Safe to repeat: its
    event id takes effect once."""
    with core_of(ctx) as core:
        table = RelayTables(core.store)
        letter = table.dead_letter(letter_id)
        if letter is None:
            raise CommandRefused(f"There is no dead letter {letter_id!r}; see `simpul dead-letter list`.")
        record = _record(core, letter)
        request = asyncio.run(_prepared(core, record, letter.id))
        (result,), _ = core.runner.run([replace(request, origin=None)])
        if isinstance(result, Problem):
            raise result
        table.redriven(letter_id)
        show(answer_document(result))


def _record(core: Core, letter: DeadLetter) -> InRecord:
    endpoint = own_endpoint(core.settings)
    if endpoint is None:
        raise CommandRefused("There is no broker: set SIMPUL_KAFKA_BOOTSTRAP.")
    record = record_at(endpoint, letter.topic, letter.partition, letter.offset)
    if record is None or (letter.sha256 and hashlib.sha256(record.value or b"").hexdigest() != letter.sha256):
        raise CommandRefused(
            f"The broker no longer keeps the record at {letter.id}. Ask {letter.agency} to send it again."
        )
    return record


async def _prepared(core: Core, record: InRecord, letter_id: str) -> Request:
    hub = idle_hub(core)
    prefix = core.settings.kafka_topic_prefix
    desk = InboundDesk(hub, Schemas.load(), core.registry.agencies, received, prefix)
    try:
        return await desk.prepare(record)
    except (SimpulError, OSError):
        raise
    except Exception as crash:
        log.debug("redrive_crashed", exc_info=crash)
        raise CommandRefused(
            f"The hub still fails on the record at {letter_id} ({type(crash).__name__}). It stays dead; "
            "a later release may take it. With SIMPUL_LOG_LEVEL=debug it is said where."
        ) from crash
    finally:
        hub.readers.close()
