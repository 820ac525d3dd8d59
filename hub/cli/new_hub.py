"""Says where a new hub was made: a forgotten SIMPUL_DATA_DIR makes a second, empty one in another folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import structlog

from hub.settings import Settings
from hub.store.file_presence import lock_beside

log = structlog.get_logger(__name__)


def is_new(settings: Settings) -> bool:
    """Whether there is nothing yet where the hub would be; asked before anything is opened. What a restore
    left half done begins with the database's name too."""
    database = settings.database
    if isinstance(database, str):
        return not settings.data_dir.exists()
    lock = lock_beside(database)  # may be made before this is asked
    return all(path == lock for path in database.parent.glob(f"{database.name}*"))


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
    path = Path(settings.database).absolute()
    database = "" if path.parent == folder else f", database {path}"
    return f"a new, empty hub in {folder}{database}, for there was none"


def _advice(settings: Settings) -> str:
    relative = ""
    if not settings.data_dir.is_absolute():
        relative = f" (data_dir is {settings.data_dir} now, seen from where the command was typed)"
    return f"If yours is elsewhere, set SIMPUL_DATA_DIR and delete this one{relative}."
