"""`simpul migrate|rebuild|backup|restore`: the database as a whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import structlog

from hub.app_access import access, secret_box
from hub.app_revocations import stopped_webhooks, without_password
from hub.cli import new_hub
from hub.cli.common import alone, core_of, opened, settings_of, show
from hub.errors import CommandRefused, StoreError, StoreUnavailable
from hub.ports.clock import SystemClock, rfc3339
from hub.ports.erasures import ErasureLine
from hub.ports.revocations import RevocationLine, Revoked
from hub.ports.sealing import Sealing
from hub.ports.store import ReadSession, WriteTransaction
from hub.service.rebuild import Rebuilder, verify_chains
from hub.settings import Settings
from hub.store.backups import ATTACHMENTS, is_backup, refuse_target, write_backup
from hub.store.erasures import erased_in
from hub.store.migrate import HEAD, current_revision, refuse_foreign
from hub.store.rebuilding import Fold, check_rebuild, rebuild_in_place
from hub.store.restoring import restore as restore_backup
from hub.store.revocations import revoked_in
from hub.store.sqlite.store import SqliteStore
from hub.vault import erasures, revocations
from hub.vault.erasures import ErasureFile
from hub.vault.master_key import MasterKeyFile
from hub.vault.revocations import RevocationFile
from hub.vault.sealer import Sealer

if TYPE_CHECKING:
    from hub.store.engines import AnyStore

log = structlog.get_logger(__name__)
MISSING: Final = {erasures.NAME: "erased", revocations.NAME: "revoked"}
"""What a journal tells."""


@click.command()
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Makes the database, or brings it up to date."""
    settings = settings_of(ctx)
    before = current_revision(settings.database)
    if before is None:
        refuse_foreign(settings.database)  # before the data folder is made
    with opened(settings, migrates=True) as core:  # under the key that belongs to the database
        # A broker that reads jwks.json as a file may be started before the first `serve`.
        access(core, secret_box(core)).ensure_signing_key()
        show({"revision": HEAD, "changed": before != HEAD})


@click.command()
@click.option(
    "--check",
    is_flag=True,
    help="Changes nothing; exit 1 and the first difference if tables and log disagree.",
)
@click.pass_context
def rebuild(ctx: click.Context, check: bool) -> None:
    """Makes every table that follows from the log anew, mailboxes included."""
    if check:
        with core_of(ctx) as core:
            events, difference = check_rebuild(core.store, fold(core.sealer), core.settings.data_dir)
            if difference:
                raise CommandRefused(difference)
            show({"events": events, "difference": None})
        return
    settings = settings_of(ctx)
    new_hub.require(settings)
    with alone(settings, "rebuild") as still, opened(settings, is_alone=True) as core:
        show({"events": rebuild_in_place(core.store, fold(core.sealer), still)})


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also over a FILE that is no backup.")
@click.pass_context
def backup(ctx: click.Context, file: Path, force: bool) -> None:
    """Writes log, keys, vault and attachments to FILE. A former backup of that name is replaced. The master
    key is not in it: keep it elsewhere."""
    settings = settings_of(ctx)
    new_hub.require(settings)
    refuse_target(file, settings.database_path, settings.data_dir, [settings.key_path])
    was_there = file.exists()
    if was_there and not (force or is_backup(file)):
        raise CommandRefused(
            f"{file}: is there already and is no backup, and one would take its place. Choose another name, "
            "or say --force."
        )
    with opened(settings) as core:
        show(write_backup(core.store, settings.data_dir / ATTACHMENTS, file))
    if was_there:
        click.echo(f"simpul: {file} was there already and was replaced", err=True)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def restore(ctx: click.Context, file: Path) -> None:
    """Puts FILE in the place of the database, under a new incarnation. What was there is kept aside (SQLite),
    or replaced (PostgreSQL: back it up before)."""
    settings = settings_of(ctx)
    new_hub.require_key(settings)
    is_new = new_hub.is_new(settings)
    if is_new and not is_backup(file):
        raise CommandRefused(f"{file}: is no backup that `simpul backup` wrote. Nothing was made.")
    with alone(settings, "restore") as still:
        key_file = MasterKeyFile(settings.key_path)
        key_file.load()
        unknown = _unknown_since(settings, _keep_what_it_knows(settings))
        attachments, folded = settings.data_dir / ATTACHMENTS, fold(Sealer(key_file))
        if isinstance(settings.database, str):
            from hub.store.refilling import refill  # a hub on SQLite loads no driver of another engine

            done = refill(file, settings.database, attachments, folded, still)
        else:
            settings.database.parent.mkdir(parents=True, exist_ok=True)
            done = restore_backup(file, settings.database, attachments, folded)
        try:  # erases and revokes again what was since the backup
            with opened(settings, migrates=True, is_alone=True) as core:
                to_reset, stopped = without_password(core), stopped_webhooks(core)
        except StoreUnavailable as away:
            raise CommandRefused(
                f"The restore holds ({done.events} events, incarnation {done.incarnation}), but the database "
                f"could not be opened afterwards: {away} Whatever opens it next erases and revokes again "
                "what was since the backup. To be told whose password and webhook are void, run the restore "
                "again."
            ) from away
    replaced = str(done.replaced) if done.replaced else None
    database = _shown(settings)
    show(
        {
            "database": database,
            "events": done.events,
            "incarnation": done.incarnation,
            "replaced": replaced,
            "officers_to_reset": to_reset,
            "webhooks_to_put": stopped,
            "nothing_known_of": unknown,
        }
    )
    if is_new and not settings.on_postgres:
        click.echo(
            f"simpul: restored into {database}, where no database was. If the hub's is elsewhere, set "
            "SIMPUL_DATA_DIR, or SIMPUL_DATABASE_URL where it is on PostgreSQL, restore there, and delete "
            f"{database}*.",
            err=True,
        )
    if unknown:
        what = " or ".join(MISSING[name] for name in unknown)
        click.echo(
            f"simpul: {settings.key_path.parent} has no {' and no '.join(unknown)}, and no readable "
            f"database was replaced: nothing is known of what was {what} since the backup, so none of it was "
            "done again. Put the journals there and restore again, or do it by hand. A hub that never "
            "erased or revoked anything has no journals: then there is nothing to do.",
            err=True,
        )


def _shown(settings: Settings) -> str:
    """The database by its whole path, or by its address without a password."""
    if isinstance(settings.database, Path):
        return str(settings.database.absolute())
    from hub.store.moving import without_password

    return without_password(settings.database)


def _unknown_since(settings: Settings, is_replaced_known: bool) -> list[str]:
    """The journals that are missing where nothing else tells what they would."""
    if is_replaced_known:
        return []
    journals = (ErasureFile(settings.key_path), RevocationFile(settings.key_path))
    return [each.path.name for each in journals if not each.path.exists()]


def _keep_what_it_knows(settings: Settings) -> bool:
    """What the database that is replaced knows of erasures and revocations enters the journals beside the
    master key, where they lack it. One that cannot be read, as after damage, is no obstacle: the journals are
    the record. Whether there was one that could be read."""
    erased_file, revoked_file = ErasureFile(settings.key_path), RevocationFile(settings.key_path)
    now, known = rfc3339(SystemClock().now()), Revoked.of(revoked_file.lines())
    try:
        found = _known_in(settings.database, now, known)
    except (StoreError, sqlite3.DatabaseError) as error:
        log.warning("replaced_database_unreadable", cause=str(error))
        return False
    if found is None:
        return False
    erased, revoked = found
    journalled = {line.case_id for line in erased_file.lines()}
    if new := [line for line in erased if line.case_id not in journalled]:
        erased_file.add(new)
    revoked_file.add(revoked)
    return True


def _known_in(
    place: Path | str, now: str, known: Revoked
) -> tuple[list[ErasureLine], list[RevocationLine]] | None:
    """None where there is no database of ours."""
    if current_revision(place) is None:
        return None
    store = _store(place)
    try:
        with store.connection() as connection:
            return erased_in(connection), revoked_in(connection, now, known)
    finally:
        store.close()


def _store(place: Path | str) -> AnyStore:
    if isinstance(place, Path):
        return SqliteStore(place)
    from hub.store.postgres.store import PostgresStore

    return PostgresStore(place, name=None)


def fold(sealer: Sealing) -> Fold:
    """The log, verified and folded into projections."""

    def run(session: ReadSession, target: WriteTransaction) -> int:
        verify_chains(session.events_after)
        return Rebuilder(session.events_after, session.keys, sealer).run(target)

    return run
