"""`simpul key rotate`: a new token signing key; the old one stays published for the overlap."""

from __future__ import annotations

import click

from hub.app_access import access, secret_box
from hub.cli.common import core_of, show
from hub.ports.clock import rfc3339


@click.group()
def key() -> None:
    """Keys that tokens are signed with."""


@key.command("rotate")
@click.pass_context
def rotate(ctx: click.Context) -> None:
    """Publishes a new signing key now; it signs after `signing_key_publish_ahead_s`."""
    with core_of(ctx) as core:
        settings = core.settings
        new = access(core, secret_box(core)).rotate(
            core.clock.now(), settings.signing_key_overlap_s, settings.signing_key_publish_ahead_s
        )
        show({"kid": new.kid, "signs_from": rfc3339(new.signs_from)})
