"""`simpul deadlines CASE`: why each deadline of a case falls where it falls, day by day."""

from __future__ import annotations

import re
from typing import Final

import click

from hub.app_core import Core, limits_of
from hub.app_sweeps import rows_in_force
from hub.cli.common import core_of
from hub.domain.case import CaseState
from hub.domain.clocks import Clock, deadline_document
from hub.domain.derivation import derive, lines
from hub.domain.retention import ended_at, kept
from hub.errors import CommandRefused
from hub.ports.clock import rfc3339
from hub.service.ids import uuid_of
from hub.service.sweeps import held

TRACKING_NUMBER: Final = re.compile(r"([0-9A-Za-z]{4})-?([0-9A-Za-z]{4})-?([0-9A-Za-z]{4})")


@click.command("deadlines")
@click.argument("case_name", metavar="CASE")
@click.pass_context
def deadlines(ctx: click.Context, case_name: str) -> None:
    """Prints the derivation of every deadline of CASE (its id or its tracking number): the policy and the
    calendar that its clock keeps, each day from the start to the deadline with what it counts for, and the
    pauses; of an ended case, until when it is kept."""
    with core_of(ctx) as core:
        state = case_named(core, case_name)
        click.echo(f"Case {state.id} ({state.tracking_number}), status {state.status}, owner {state.owner}")
        if not state.clocks:
            click.echo("No deadlines: this case was recorded before deadlines were kept.")
        for clock in state.clocks:
            click.echo("")
            click.echo("\n".join(_explained(core, clock)))
        if ended := ended_at(state):
            click.echo("")
            click.echo("\n".join(_retention(core, state, ended)))


def case_named(core: Core, name: str) -> CaseState:
    """By its id or its tracking number, in large or small letters, the number also without its hyphens."""
    number, given = TRACKING_NUMBER.fullmatch(name.strip()), uuid_of(name.strip())
    with core.store.read() as session:
        case_id = session.case_of_tracking("-".join(number.groups()).upper()) if number else given
        case = session.case(case_id) if case_id else None
    if case is None:
        raise CommandRefused(f"There is no case {name!r}. Name it by its id (a UUID) or its tracking number.")
    return case.state


def _retention(core: Core, state: CaseState, ended: str) -> list[str]:
    """Until when an ended case is kept, by which row, and what keeps it longer."""
    rows = rows_in_force(core)
    known = kept(state, rows, limits_of(core.settings), rfc3339(core.clock.now()))
    if known is None:
        return [f"retention: ended {ended}; kept without limit, there is no policy for it yet"]
    row = known.policy
    unit = row.unit.removesuffix("s") if row.amount == 1 else row.unit
    told = [f"retention: ended {ended}; erased after {known.until} ({row.id}, {row.amount} {unit})"]
    with core.store.read() as session:
        held_up = held(session, state)
    return [*told, *([f"kept all the same: {held_up}"] if held_up else []), f"source: {row.source}"]


def _explained(core: Core, clock: Clock) -> list[str]:
    """The derivation, under whose clock it is and how it stands now."""
    policy = next((row for row in core.rulebook.rows if row.id == clock.policy), None)
    source = policy.source if policy else "a policy that was replaced since"
    now = core.clock.now()
    shown = " (shown only)" if clock.shown_only else ""
    return [
        f"{clock.agency}: {deadline_document(clock, now)['state']}{shown}",
        *lines(derive(clock, core.rulebook.calendar(clock.calendar))),
        f"source: {source}",
    ]
