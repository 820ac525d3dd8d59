"""simpul-connector run|check CONFIG.toml: what runs beside an agency's own system."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from connectors import checking, logs
from connectors import runner as running
from connectors.errors import ConfigRefused, ConnectorError, WrongAgency
from connectors.kinds import load

USED_WRONGLY, FAILED = 2, 1
_CONFIG = click.argument(
    "config_file", metavar="CONFIG.toml", type=click.Path(path_type=Path, dir_okay=False)
)


@click.group()
def main() -> None:
    """Joins an agency's own system to the hub."""
    logs.set_up()


@main.command()
@_CONFIG
def run(config_file: Path) -> None:
    """Run until stopped (SIGTERM or Ctrl-C)."""
    try:
        running.run(load(config_file))
    except ConfigRefused as error:
        _end(error, USED_WRONGLY)
    except (ConnectorError, WrongAgency) as error:
        _end(error, FAILED)


@main.command()
@_CONFIG
def check(config_file: Path) -> None:
    """Say what is wrong before anything is sent; changes nothing."""
    try:
        config = load(config_file)
    except ConfigRefused as error:
        _end(error, USED_WRONGLY)
    sys.exit(0 if checking.check(config) else FAILED)


def _end(error: Exception, code: int) -> None:
    click.echo(f"simpul-connector: {error}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
