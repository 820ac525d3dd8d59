"""What the commands share: settings, an open core, being alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
import orjson

from hub.cli import new_hub
from hub.cli.group import DATABASE
from hub.cli.logs import configure
from hub.errors import CommandRefused
from hub.settings import Settings, load, make_data_folder
from hub.store.sqlite import presence as file_presence

if TYPE_CHECKING:
    from hub.app_core import Core


def settings_of(ctx: click.Context) -> Settings:
    """The settings, read once a command; logs go to standard error from here on."""
    config = ctx.obj["config"]
    settings = load(config, os.environ)
    configure(settings.log_level)
    if isinstance(settings.database, str):
        name = "SIMPUL_DATABASE_URL"
        ctx.obj[DATABASE] = name if name in os.environ else f"{config}: database_url", settings.database
    return settings


@contextmanager
def core_of(ctx: click.Context, *, begins: bool = False) -> Iterator[Core]:
    """The open core of the hub that is there; only a command that `begins` one makes it where there is
    none."""
    settings = settings_of(ctx)
    if not begins:
        new_hub.require(settings)
    with opened(settings) as core:
        yield core


@contextmanager
def opened(settings: Settings, *, migrates: bool = False, is_alone: bool = False) -> Iterator[Core]:
    """The open core; where no hub was before, its new folder is named."""
    from hub.app_core import open_core  # most of what there is to load; `verify` needs none of it

    new = new_hub.begins(settings)
    with open_core(settings, migrates=migrates, name=_name(), is_alone=is_alone) as core:
        if new:
            new_hub.tell(settings, new)
        yield core


def _name() -> str:
    """Of the command that runs, as others are told of it."""
    _, *words = click.get_current_context().command_path.split()
    return " ".join(["simpul", *words])


def show(document: Any) -> None:
    """A result on standard output, as one line of JSON."""
    click.echo(orjson.dumps(document).decode())


@contextmanager
def alone(settings: Settings, what: str) -> Iterator[Callable[[], None]]:
    """No hub runs meanwhile and none starts, nor any other command that may write. Gives what raises where
    that is no longer so."""
    from hub.store import opening

    make_data_folder(settings)
    with running(settings, what), opening.alone(settings.database, what) as still:
        yield still


@contextmanager
def running(settings: Settings, what: str = "serve") -> Iterator[None]:
    """On SQLite one hub serves, and holds the locks of its data folder and of its database, which may lie
    elsewhere; the kernel lets go of them when the process ends, however it ends. On PostgreSQL as many serve
    as there are."""
    if isinstance(settings.database, str):
        yield
        return
    make_data_folder(settings)
    database = settings.database
    database.parent.mkdir(parents=True, exist_ok=True)
    locks = {
        settings.data_dir / "hub.lock": f"data folder {settings.data_dir}",
        database.with_name(f"{database.name}-hub"): f"database {database}",
    }
    with ExitStack() as stack:
        for path, place in locks.items():
            if not _locked(stack.enter_context(lock_file(path).open("r+"))):
                file_presence.present(database).close()  # says so, if it is a restore that holds it
                raise CommandRefused(
                    f"{what} needs the {place} for itself, but a hub is running there. Stop it first."
                )
        yield


def lock_file(path: Path) -> Path:
    path.touch(mode=0o600, exist_ok=True)
    return path


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
