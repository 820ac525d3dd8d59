"""`simpul serve`: the hub with its roles in one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import click
import uvloop

from hub.app import Core, open_core, serve_until
from hub.cli.common import alone, settings_of
from hub.errors import CommandRefused

ROLES = ("api", "delivery", "clock", "relay", "inbound")
KAFKA_ROLES = frozenset({"relay", "inbound"})


@click.command()
@click.option("--roles", help="Some of api, delivery, clock, relay, inbound, with commas; all by default.")
@click.pass_context
def serve(ctx: click.Context, roles: str | None) -> None:
    """Runs the hub until SIGTERM or Ctrl-C."""
    settings = settings_of(ctx)
    chosen = _roles(roles)
    with (
        alone(settings, "serve"),
        open_core(settings) as core,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve(core, chosen))


def _roles(text: str | None) -> frozenset[str]:
    if text is None:
        return frozenset(ROLES) - KAFKA_ROLES
    chosen = frozenset(role.strip() for role in text.split(",") if role.strip())
    if unknown := chosen - frozenset(ROLES):
        raise click.UsageError(
            f"--roles: {', '.join(sorted(unknown))} is no role; there are {', '.join(ROLES)}."
        )
    if kafka := chosen & KAFKA_ROLES:
        raise CommandRefused(
            f"--roles: {', '.join(sorted(kafka))} need Kafka, which this version does not have."
        )
    if "api" not in chosen:
        raise CommandRefused("--roles: on SQLite one process does everything, so api must be among them.")
    return chosen


async def _serve(core: Core, roles: frozenset[str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await serve_until(core, stop, deliver="delivery" in roles)
