"""simpul-connector run|check|receipt CONFIG.toml: what runs beside an agency's own system. A command imports
what it needs when it is called."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from connectors.errors import ConfigRefused, ConnectorError, WrongAgency

USED_WRONGLY, FAILED = 2, 1
_CONFIG = click.argument(
    "config_file", metavar="CONFIG.toml", type=click.Path(path_type=Path, dir_okay=False)
)


@contextmanager
def _one_line() -> Iterator[None]:
    """Wrong use as one line, with its remedy, instead of click's four; the exit code stays 2."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as wrong:
        name = wrong.ctx.command_path if wrong.ctx else "simpul-connector"
        said = " ".join(wrong.format_message().split()).rstrip(".")
        raise WrongUse(f"{said}. See `{name} --help`.") from wrong


class WrongUse(click.ClickException):
    """The command was used wrongly."""

    exit_code = USED_WRONGLY

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"simpul-connector: {self.message}", file=file, err=True)


class Commands(click.Group):
    """Says every wrong use in one line."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _one_line():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line():
            return super().invoke(ctx)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Joins an agency's own system to the hub."""
    from connectors import logs

    logs.set_up()
    atexit.register(gc.freeze)  # the last collections would walk through everything that was loaded


@main.command()
@_CONFIG
def run(config_file: Path) -> None:
    """Run until stopped (SIGTERM or Ctrl-C)."""
    from connectors import kinds, runner

    try:
        runner.run(kinds.load(config_file))
    except ConfigRefused as error:
        _refuse(error, config_file)
    except (ConnectorError, WrongAgency) as error:
        _end(error)


@main.command()
@_CONFIG
def check(config_file: Path) -> None:
    """Say what is wrong before anything is sent; changes nothing."""
    from connectors import checking, kinds

    try:
        config = kinds.load(config_file)
    except ConfigRefused as error:
        _refuse(error, config_file)
    sys.exit(0 if checking.check(config) else FAILED)


@main.command()
@_CONFIG
@click.argument("case_id", metavar="CASE")
def receipt(config_file: Path, case_id: str) -> None:
    """Confirm that no copy of the erased CASE is left at this agency; the connector may be running."""
    from connectors import kinds, receipts

    try:
        click.echo(receipts.confirm(kinds.load(config_file), case_id.strip().lower()))
    except ConfigRefused as error:
        _refuse(error, config_file)
    except (ConnectorError, WrongAgency) as error:
        _end(error)


def _refuse(error: ConfigRefused, file: Path) -> None:
    """With the file that holds the key; a file that cannot be read is named already."""
    where = "" if error.key == str(file) else f"{file}: "
    click.echo(f"simpul-connector: {where}{error}", err=True)
    sys.exit(USED_WRONGLY)


def _end(error: Exception) -> None:
    click.echo(f"simpul-connector: {error}", err=True)
    sys.exit(FAILED)


if __name__ == "__main__":
    main()
