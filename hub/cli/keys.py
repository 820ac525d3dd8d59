"""`simpul key`: a new token signing key, whose predecessor stays published for the overlap; a new master key,
under which everything is wrapped again; and the end of the old one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click

from hub.app_access import access, secret_box
from hub.app_core import Core
from hub.cli.common import core_of, show
from hub.errors import CommandRefused
from hub.ports.clock import rfc3339
from hub.ports.sealing import KeyUnavailable
from hub.store.rewrapping import WrappedKeys
from hub.vault.master_key import Keyring, MasterKeyFile

RETIRED_FOR: Final = timedelta(hours=1)
"""So long a retired generation stays at least: longer than any request that began before the rotation."""
PASSES: Final = 20


@click.group()
def key() -> None:
    """The keys that tokens are signed with, and the master key."""


@key.command("rotate", short_help="A new key for tokens; with --master, a new master key.")
@click.option("--master", is_flag=True, help="The master key instead of the signing key.")
@click.pass_context
def rotate(ctx: click.Context, master: bool) -> None:
    """Publishes a new signing key now; it signs after `signing_key_publish_ahead_s`. With --master: a new
    master key, and every stored key wrapped under it; killed half-way, the same command goes on."""
    with core_of(ctx) as core:
        if master:
            show(_rotate_master(core))
            return
        settings = core.settings
        new = access(core, secret_box(core)).rotate(
            core.clock.now(), settings.signing_key_overlap_s, settings.signing_key_publish_ahead_s
        )
        show({"kid": new.kid, "signs_from": rfc3339(new.signs_from)})


@key.command("destroy", short_help="Destroys the retired generations of the master key.")
@click.pass_context
def destroy(ctx: click.Context) -> None:
    """Destroys the retired generations of the master key, an hour after the rotation at the earliest. Backups
    from before the rotation open only with a copy of the key file from their time."""
    with core_of(ctx) as core:
        file, keys, now = _key_file(core), WrappedKeys(core.store), core.clock.now()
        ring = file.load()
        too_young = [g for g in ring.generations if g.retired_at and g.retired_at >= now - RETIRED_FOR]
        if too_young:
            ends = max(g.retired_at + RETIRED_FOR for g in too_young if g.retired_at)
            raise CommandRefused(
                f"The master key was rotated less than an hour ago, and a request from before may still need "
                f"the old one. Try again from {rfc3339(ends)} on."
            )
        _refuse_unknown(keys, ring)
        rewrapped = _rewrap_all(core, keys)
        if keys.generations() - {ring.current.number}:
            raise CommandRefused(
                "Something still stores keys under the old master key: a process that reads another copy of "
                "the key file. Give it the same one."
            )
        destroyed = list(file.destroy(now - RETIRED_FOR))
        show({"generation": ring.current.number, "rewrapped": rewrapped, "destroyed": destroyed})


def _rotate_master(core: Core) -> dict[str, object]:
    """One new generation; or none, where a rotation before this one was cut off and is ended now."""
    file, keys = _key_file(core), WrappedKeys(core.store)
    ring = file.load()
    used = _refuse_unknown(keys, ring)
    resumed = bool(used - {ring.current.number})
    if not resumed:
        ring = file.rotate(core.clock.now())
    rewrapped = _rewrap_all(core, keys)
    return {"generation": ring.current.number, "rewrapped": rewrapped, "resumed": resumed}


def _refuse_unknown(keys: WrappedKeys, ring: Keyring) -> set[int]:
    """The generations in use, all of which the file must hold: an older copy of it would give the next number
    out a second time."""
    used = keys.generations()
    unknown = used - {generation.number for generation in ring.generations}
    if unknown:
        raise KeyUnavailable(max(unknown))
    return used


def _rewrap_all(core: Core, keys: WrappedKeys) -> int:
    """Until a whole pass finds nothing: a request that began before may still have stored one. Where a key
    cannot be opened: CommandRefused, after all others are done."""
    total, current = 0, core.sealer.refresh()
    for _ in range(PASSES):
        moved = sum(keys.rewrap(current, core.sealer.rewrap))
        total += moved
        if not moved:
            break
    if keys.broken:
        raise CommandRefused(
            f"{len(keys.broken)} stored key(s) were altered and cannot be opened, such as that of "
            f"{min(keys.broken)}; all others are wrapped under generation {current}. Restore a backup."
        )
    return total


def _key_file(core: Core) -> MasterKeyFile:
    return MasterKeyFile(core.settings.key_path)
