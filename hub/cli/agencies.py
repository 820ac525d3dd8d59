"""`simpul agency add|list|deactivate|activate`: the registry of who takes part."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from hub.app_core import Core
from hub.cli import broker
from hub.cli.common import core_of, show
from hub.domain.agency import DEFAULT_TIME_ZONE, KINDS, Agency
from hub.errors import CommandRefused, Invalid
from hub.service.requests import ChangeAgency, RegisterAgency
from schemas.regions import Regions

MOST_TOLD: Final = 1000


@click.group()
def agency() -> None:
    """Agencies: who takes part."""


@agency.command("add")
@click.argument("agency_id", metavar="ID")
@click.option(
    "--name", required=True, help="As people know it, such as 'Pemerintah Kabupaten Kotawaringin Timur'."
)
@click.option("--kind", required=True, type=click.Choice(KINDS))
@click.option("--region", help="Kemendagri code such as 62.02; needed for province, regency and city.")
@click.option("--parent", metavar="ID", help="The agency above it.")
@click.option(
    "--time-zone",
    default=DEFAULT_TIME_ZONE,
    show_default=True,
    help="Asia/Jakarta, Asia/Makassar, Asia/Jayapura.",
)
@click.option(
    "--kafka", is_flag=True, help="The agency receives and submits over Kafka, beside mailbox and webhook."
)
@click.pass_context
def add(
    ctx: click.Context,
    agency_id: str,
    name: str,
    kind: str,
    region: str | None,
    parent: str | None,
    time_zone: str,
    kafka: bool,
) -> None:
    """Registers an agency and prints it."""
    _check(region, time_zone)
    with core_of(ctx, begins=True) as core:
        if kafka:
            broker.require_offered(core)
        new = Agency(agency_id, name, kind, region, parent, time_zone, kafka=kafka)
        _register(core, new)
        if kafka:
            broker.follow(core)
        show(new.document())


@agency.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Prints every agency, one JSON object a line."""
    with core_of(ctx) as core:
        for name in sorted(core.registry.agencies):
            show(core.registry.agencies[name].document())


@agency.command("deactivate", short_help="Ends an agency's part; its clients are refused at once.")
@click.argument("agency_id", metavar="ID")
@click.pass_context
def deactivate(ctx: click.Context, agency_id: str) -> None:
    """Ends an agency's part: its clients are refused at once, nothing can be forwarded to it."""
    with core_of(ctx) as core:
        outcome = core.operate(ChangeAgency(agency_id, {"active": False}))
        if outcome.agency is not None and outcome.agency.kafka:
            broker.follow(core)
        if outcome.agency is not None:
            show(outcome.agency.document())
        _tell_what_stays(core, agency_id)


@agency.command("activate", short_help="Takes in again an agency that was deactivated.")
@click.argument("agency_id", metavar="ID")
@click.pass_context
def activate(ctx: click.Context, agency_id: str) -> None:
    """Takes an agency in again that was deactivated, with the clients it had that were not revoked. What
    passed on meanwhile stays where it is."""
    with core_of(ctx) as core:
        outcome = core.operate(ChangeAgency(agency_id, {"active": True}))
        if outcome.agency is not None and outcome.agency.kafka:
            broker.follow(core)
        if outcome.agency is not None:
            show(outcome.agency.document())


def _register(core: Core, new: Agency) -> None:
    """A flaw is told by the option that holds it."""
    try:
        core.operate(RegisterAgency(new))
    except Invalid as refused:
        if not refused.flaws:
            raise
        told = [f"{_option(pointer)}: {detail}" for pointer, detail in refused.flaws]
        raise CommandRefused(" ".join(told)) from refused


def _option(pointer: str) -> str:
    """`/time_zone` is `--time-zone`; the id is the command's argument."""
    return "ID" if pointer == "/id" else "--" + pointer.lstrip("/").replace("_", "-")


def _tell_what_stays(core: Core, agency_id: str) -> None:
    """Work that nobody does any more can be handed over; else it passes on by itself (`passing_on.py`)."""
    with core.store.read() as session:
        held = len(session.held_cases(agency_id, "", MOST_TOLD + 1))
    if held:
        count = f"more than {MOST_TOLD}" if held > MOST_TOLD else str(held)
        click.echo(
            f"simpul: {agency_id} still owns, handles or was asked about {count} open case(s); "
            "a handover passes them on, with the token of a client that `simpul client add hub --scope "
            "agencies:write` makes: curl -X POST -H 'Authorization: Bearer TOKEN' -H 'Content-Type: "
            f"application/json' {core.settings.issuer}/v1/agencies/{agency_id}/handover "
            """-d '{"to": "SUCCESSOR"}'. Otherwise a running hub soon gives """
            "those that it owns to the active agency above it, or to the hub, and takes back what was "
            "forwarded to it.",
            err=True,
        )


def _check(region: str | None, time_zone: str) -> None:
    if region is not None and Regions.load().get(region) is None:
        raise CommandRefused(f"--region: {region!r} was never a region code; 62.02 would be one.")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CommandRefused(f"--time-zone: {time_zone!r} is no IANA zone such as Asia/Jakarta.") from error
