"""Where a new hub was made, and where there is none: a forgotten SIMPUL_DATA_DIR leads to another folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
import structlog

from hub.errors import CommandRefused
from hub.settings import Settings
from hub.store.sqlite.presence import lock_beside

log = structlog.get_logger(__name__)


def is_new(settings: Settings) -> bool:
    """Whether there is nothing yet where the hub would be; asked before anything is opened. What a restore
    left half done begins with the database's name too."""
    database = settings.database
    if isinstance(database, str):
        return not settings.data_dir.exists()
    locks = {lock_beside(database).name, f"{database.name}-hub"}  # a command that was refused leaves them
    return all(path.name in locks for path in database.parent.glob(f"{database.name}*"))


def require(settings: Settings) -> None:
    """CommandRefused, before anything is made, where a command that begins no hub finds none. What cannot be
    looked into is no proof of that: to open it says what is wrong there."""
    if not is_new(settings) or _is_closed(_place(settings)):
        return
    if isinstance(settings.database, str):
        from hub.store.migrate import require_current  # a lack of tables or of a server is said first

        require_current(settings.database)
        if settings.key_path.exists():  # kept elsewhere; the folder holds nothing that was ever needed here
            return
    raise CommandRefused(
        f"There is no hub in {_named(settings)}{_seen_from(settings)}. Name the folder of yours in "
        "SIMPUL_DATA_DIR, or as data_dir in the file that --config names; `simpul serve` and "
        "`simpul migrate` make a new hub."
    )


def _is_closed(folder: Path) -> bool:
    return folder.exists() and not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK))


def _place(settings: Settings) -> Path:
    return settings.data_dir if isinstance(settings.database, str) else settings.database.parent


def tell(settings: Settings) -> None:
    """One line on standard error, for commands."""
    click.echo(f"simpul: made {_made(settings)}. {_advice(settings)}", err=True)


def log_it(settings: Settings) -> None:
    """The same among the log lines of `serve`; a warning where nobody chose the folder by its whole path."""
    say: Callable[..., object] = log.info if settings.data_dir.is_absolute() else log.warning
    say("new_hub", data_dir=str(settings.data_dir.absolute()), made=_made(settings), advice=_advice(settings))


def _made(settings: Settings) -> str:
    folder = settings.data_dir.absolute()
    if settings.on_postgres:
        return f"the data folder {folder}, for there was none"
    return f"a new, empty hub in {_named(settings)}, for there was none"


def _named(settings: Settings) -> str:
    """The folder, and the database where that is in another."""
    folder = settings.data_dir.absolute()
    if isinstance(settings.database, str):
        return str(folder)
    path = settings.database.absolute()
    return str(folder) if path.parent == folder else f"{folder}, database {path}"


def _seen_from(settings: Settings) -> str:
    if settings.data_dir.is_absolute():
        return ""
    return f" (data_dir is {settings.data_dir} now, seen from where the command was typed)"


def _advice(settings: Settings) -> str:
    return f"If yours is elsewhere, set SIMPUL_DATA_DIR and delete this one{_seen_from(settings)}."
