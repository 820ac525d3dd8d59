"""`simpul move --to URL`: from SQLite to PostgreSQL, once, with everything; `--undo` takes it back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click
import structlog

from hub.cli import new_hub
from hub.cli.common import alone, settings_of, show
from hub.cli.group import DATABASE
from hub.errors import CommandRefused, SettingsError
from hub.settings import Settings, load
from hub.store.backups import ATTACHMENTS
from hub.store.move_marks import undo
from hub.store.moving import Moved
from hub.store.moving import move as carry
from hub.store.restoring import finish, refuse_half_done
from hub.vault.master_key import MasterKeyFile

log = structlog.get_logger(__name__)

SAY_EVERY_S: Final = 5.0


@click.command()
@click.option("--to", "url", metavar="URL", help="postgresql://user@host:port/name; PGPASSWORD is heeded.")
@click.option("--undo", "back", is_flag=True, help="Lets the hub go on in the SQLite database after all.")
@click.pass_context
def move(ctx: click.Context, url: str | None, back: bool) -> None:
    """Carries the whole hub from SQLite to an empty PostgreSQL database and compares every row. With the hub
    stopped; run again after an interruption, it goes on where it stopped."""
    if back == (url is not None):
        raise click.UsageError("Give --to URL, or --undo.")
    settings = settings_of(ctx)
    database = settings.database
    if not isinstance(database, Path):
        raise CommandRefused(
            "The settings name PostgreSQL as this hub's database; a move starts from SQLite. Run it with the "
            "settings that the hub had there, without SIMPUL_DATABASE_URL."
        )
    new_hub.require(settings)
    with alone(settings, "move"):
        finish(database)
        refuse_half_done(database)
        if not database.exists():
            raise CommandRefused(f"{database}: is not there, so there is no hub to move.")
        if url is None:
            show(_back(database))
            return
        target = _target(url)
        ctx.obj[DATABASE] = "--to", target
        show(_forth(settings, database, target))


def _target(url: str) -> str:
    """The URL in the form that the settings take; the settings' own rules."""
    try:
        target = load(None, {"SIMPUL_DATABASE_URL": url}).database
    except SettingsError as error:
        raise CommandRefused(str(error).replace("SIMPUL_DATABASE_URL", "--to", 1)) from error
    if isinstance(target, Path):
        raise CommandRefused("--to: postgresql://user@host:port/name is needed; a move leads to PostgreSQL.")
    return target


def _forth(settings: Settings, database: Path, url: str) -> dict[str, Any]:
    MasterKeyFile(settings.key_path).load()  # without it the hub could not start over there either
    began = time.monotonic()
    moved = carry(database, url, _Progress())
    return _told(settings, moved, time.monotonic() - began)


def _told(settings: Settings, moved: Moved, seconds: float) -> dict[str, Any]:
    return {
        "moved_to": moved.to,
        "tables": moved.rows,
        "rows": sum(moved.rows.values()),
        "copied_now": moved.copied,
        "streams": moved.streams,
        "seconds": round(seconds, 1),
        "verified": True,
        "stays": {
            "data_dir": str(settings.data_dir),
            "attachments": str(settings.data_dir / ATTACHMENTS),
            "master_key_file": str(settings.key_path),
        },
        "next": "Attachments and master key stay where they are: keep SIMPUL_DATA_DIR and "
        "SIMPUL_MASTER_KEY_FILE, set SIMPUL_DATABASE_URL to what --to was, then `simpul rebuild --check` and "
        "`simpul serve`.",
    }


def _back(database: Path) -> dict[str, Any]:
    mark = undo(database)
    if mark is None:
        raise CommandRefused(f"{database}: was not moved; there is nothing to undo.")
    return {"undone": mark.to, "was_finished": mark.finished, "incarnation_renewed": mark.finished}


class _Progress:
    """A line on standard error every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, table: str, rows: int) -> None:
        if (now := time.monotonic()) - self._last >= SAY_EVERY_S:
            self._last = now
            log.info("moving", table=table, rows=rows)
