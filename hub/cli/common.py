"""What the commands share: settings, an open core, one line a failure."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import click
import orjson
import structlog

from hub.app_core import Core, open_core
from hub.cli import away, new_hub
from hub.cli.logs import configure
from hub.errors import CommandRefused, SimpulError
from hub.settings import Settings, load, make_data_folder
from hub.store import file_presence, opening

log = structlog.get_logger(__name__)

DATABASE: Final = "database"
"""In a command's `ctx.obj`: where PostgreSQL's address was given, and the address, for what is said of it."""


@contextmanager
def _one_line() -> Iterator[None]:
    """Wrong use as one line, with its remedy, instead of click's four; the exit code stays 2."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as wrong:
        name = wrong.ctx.command_path if wrong.ctx else "simpul"
        said = " ".join(wrong.format_message().split()).rstrip(".")
        raise WrongUse(f"{said}. See `{name} --help`.") from wrong


class WrongUse(click.ClickException):
    """The command was used wrongly."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"simpul: {self.message}", file=file, err=True)


class Commands(click.Group):
    """Turns the hub's own errors, and the operating system's refusals, into one line and exit 1, wrong use
    into one line and exit 2; a defect keeps its traceback."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _one_line():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _one_line():
                return super().invoke(ctx)
        except SimpulError as refused:
            click.echo(f"simpul: {_way_there(ctx, refused) or describe(refused)}", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(1)
        except OSError as error:
            if error.errno is None:  # no refusal of the operating system, such as a time-out of our own
                raise
            log.debug("operating_system_refused", exc_info=error)
            click.echo(f"simpul: {_refusal(error)}", err=True)
            ctx.exit(1)


def _way_there(ctx: click.Context, refused: SimpulError) -> str | None:
    """Where PostgreSQL was looked for in vain, if that is what is wrong."""
    if not ctx.obj or DATABASE not in ctx.obj:
        return None
    name, url = ctx.obj[DATABASE]
    return away.sentence(name, url, refused)


def _refusal(error: OSError) -> str:
    """What the operating system said, and of which path if it said so."""
    names = [
        os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))
    ]
    return f"{' to '.join(names) or 'the operating system refused'}: {error.strerror or error}."


def describe(error: SimpulError) -> str:
    """One line: the error's sentence, and each flaw's with it."""
    flaws = [f"{pointer.lstrip('/')}: {detail}" for pointer, detail in getattr(error, "flaws", ())]
    return " ".join((" ".join(flaws) or str(error)).split())


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
    new = new_hub.is_new(settings)
    with open_core(settings, migrates=migrates, name=_name(), is_alone=is_alone) as core:
        if new:
            new_hub.tell(settings)
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
