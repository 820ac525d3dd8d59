"""`simpul client add|list|revoke`: OAuth clients of agencies. A secret is shown once, and stored as a keyed
hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from auth.clients import hash_secret, load_public_key, new_client_id, new_secret, public_pem
from auth.errors import AuthError
from auth.scopes import DEFAULT_SCOPES, parse_scope
from hub.cli import broker
from hub.cli.common import core_of, show
from hub.errors import CommandRefused
from hub.ports.clock import rfc3339
from hub.ports.registry import ClientRow
from hub.ports.revocations import CLIENT_REVOKED, RevocationLine
from hub.service.access import client_secret_pepper


@click.group()
def client() -> None:
    """OAuth clients: what agencies' systems sign in with."""


@client.command("add", short_help="Makes a client; prints its id and secret, this once.")
@click.argument("agency_id", metavar="AGENCY")
@click.option(
    "--public-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM or JWK; then no secret is made (private_key_jwt).",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="S",
    help="May be given several times; without it, all that the agency itself may do.",
)
@click.pass_context
def add(ctx: click.Context, agency_id: str, public_key: Path | None, scopes: tuple[str, ...]) -> None:
    """Makes a client and prints its id and, unless a key was given, its secret: this once."""
    granted, pem = _scopes(scopes), _key(public_key)
    with core_of(ctx, begins=True) as core:
        found = core.registry.agencies.get(agency_id)
        if found is None:
            raise CommandRefused(f"No agency {agency_id!r} is registered; add it with `simpul agency add`.")
        if not found.active:
            raise CommandRefused(f"The agency {agency_id} is not active.")
        secret = None if pem else new_secret()
        row = ClientRow(
            id=new_client_id(),
            agency=agency_id,
            scopes=tuple(sorted(granted)),
            secret_hash=hash_secret(secret, client_secret_pepper(core.sealer)) if secret else None,
            public_key=pem,
            created_at=rfc3339(core.clock.now()),
        )
        core.rows.add_client(row)
        if found.kafka:
            broker.follow(core)
        show({"client_id": row.id} | ({"client_secret": secret} if secret else {}))


@client.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Prints every client, one JSON object a line; never a secret."""
    with core_of(ctx) as core:
        for found in sorted(core.registry.clients.values(), key=lambda c: (c.agency, c.created_at)):
            document: dict[str, Any] = {
                "client_id": found.id,
                "agency": found.agency,
                "scopes": sorted(found.scopes),
                "method": "client_secret" if found.secret_hash else "private_key_jwt",
                "created_at": rfc3339(found.created_at),
                "revoked_at": rfc3339(found.revoked_at) if found.revoked_at else None,
            }
            show(document)


@client.command("revoke")
@click.argument("client_id", metavar="ID")
@click.pass_context
def revoke(ctx: click.Context, client_id: str) -> None:
    """Refuses the client's tokens at once, in every running process."""
    with core_of(ctx) as core:
        if client_id not in core.registry.clients:
            raise CommandRefused(f"There is no client {client_id!r}; see `simpul client list`.")
        now = rfc3339(core.clock.now())
        core.revocations.add([RevocationLine(CLIENT_REVOKED, client_id, now)])
        core.rows.revoke_client(client_id, now)
        core.registry.refresh()
        if core.registry.agencies[core.registry.clients[client_id].agency].kafka:
            broker.withdraw(core, client_id)
        revoked = core.registry.clients[client_id].revoked_at
        show({"client_id": client_id, "revoked_at": rfc3339(revoked) if revoked else now})


def _scopes(scopes: tuple[str, ...]) -> frozenset[str]:
    try:
        return parse_scope(" ".join(scopes)) if scopes else DEFAULT_SCOPES
    except AuthError as error:
        raise click.BadParameter(str(error), param_hint="--scope") from error


def _key(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return public_pem(load_public_key(path.read_text("utf-8")))
    except (AuthError, OSError, UnicodeDecodeError, ValueError) as error:
        raise CommandRefused(f"--public-key {path}: {error}") from error
