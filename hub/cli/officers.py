"""`simpul officer add|list|reset|role|disable`: accounts of officers. A one-time password is shown once, and
stored as a keyed hash."""

from __future__ import annotations

from typing import Any

import click

from auth.roles import OFFICER_ROLES
from hub.app_access import accounts
from hub.cli.common import core_of, show
from hub.ports.accounts import OfficerRow
from hub.service.accounts import shown

EMAIL = click.argument("email", metavar="E")
ROLE = click.Choice([str(role) for role in OFFICER_ROLES])


@click.group()
def officer() -> None:
    """Officers: the people who sign in with a browser."""


@officer.command("add")
@click.argument("agency_id", metavar="AGENCY")
@click.option("--email", required=True, metavar="E", help="By which the officer signs in.")
@click.option("--name", required=True, metavar="N")
@click.option("--role", required=True, type=ROLE)
@click.pass_context
def add(ctx: click.Context, agency_id: str, email: str, name: str, role: str) -> None:
    """Makes an account and prints its one-time password: this once."""
    with core_of(ctx, begins=True) as core:
        show(_with_password(*accounts(core).add(agency_id, email, name, role)))


@officer.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Prints every account, one JSON object a line; never a secret."""
    with core_of(ctx) as core:
        for found in accounts(core).store.officers():
            show(shown(found))


@officer.command("reset", short_help="A new one-time password; opens a locked or disabled account.")
@EMAIL
@click.pass_context
def reset(ctx: click.Context, email: str) -> None:
    """A new one-time password in place of the password, the second factor and any lock. Ends the officer's
    sessions at once, in every running process; enables an account that was disabled."""
    with core_of(ctx) as core:
        show(_with_password(*accounts(core).reset(email)))


@officer.command("role", short_help="Gives the officer another role in the same agency.")
@EMAIL
@click.argument("role", metavar="ROLE", type=ROLE)
@click.pass_context
def role_(ctx: click.Context, email: str, role: str) -> None:
    """Gives the officer another role in the same agency. Ends the officer's sessions at once, in every
    running process; the password stays."""
    with core_of(ctx) as core:
        show(shown(accounts(core).set_role(email, role)))


@officer.command("disable", short_help="Ends the sessions; nobody signs in by the account.")
@EMAIL
@click.pass_context
def disable(ctx: click.Context, email: str) -> None:
    """Ends the officer's sessions at once, in every running process; nobody signs in by the account."""
    with core_of(ctx) as core:
        show(shown(accounts(core).disable(email)))


def _with_password(found: OfficerRow, password: str) -> dict[str, Any]:
    return shown(found) | {"one_time_password": password, "one_time_password_until": found.one_time_until}
