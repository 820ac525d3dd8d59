"""What all commands hang on: one line a failure, one line a wrong use. Loads none of what commands run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import click

from hub.cli import away
from hub.errors import SimpulError

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
        end = "" if said.endswith("?") else "."
        raise WrongUse(f"{said}{end} See `{name} --help`.") from wrong


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
            _log(error)
            click.echo(f"simpul: {_refusal(error)}", err=True)
            ctx.exit(1)


def _way_there(ctx: click.Context, refused: SimpulError) -> str | None:
    """Where PostgreSQL was looked for in vain, if that is what is wrong."""
    if not ctx.obj or DATABASE not in ctx.obj:
        return None
    name, url = ctx.obj[DATABASE]
    return away.sentence(name, url, refused)


def _log(error: OSError) -> None:
    import structlog  # three times as long to load as all else here

    structlog.get_logger(__name__).debug("operating_system_refused", exc_info=error)


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
