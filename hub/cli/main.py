"""`simpul`: every command of the hub. Standard output holds only the result; logs go to standard error."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

import click

from hub.cli.common import Commands

CONFIG = click.Path(exists=True, dir_okay=False, path_type=Path)


COMMANDS: Final = {
    "serve": "serve:serve",
    "migrate": "database:migrate",
    "rebuild": "database:rebuild",
    "backup": "database:backup",
    "restore": "database:restore",
    "move": "move:move",
    "agency": "agencies:agency",
    "client": "clients:client",
    "officer": "officers:officer",
    "key": "keys:key",
    "topics": "broker:topics",
    "deadlines": "deadlines:deadlines",
    "erase": "erasing:erase",
    "retention": "retention:retention",
    "policy": "policies:policy",
    "import": "importing:import_",
    "verify": "verify:verify",
    "dead-letter": "dead_letters:dead_letter",
}
"""Each command's module and name there: a command loads what it needs itself, no web server for a list."""


class LazyCommands(Commands):
    """A command's module is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f"hub.cli.{module}"), name)
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=CONFIG, help="Settings as TOML; SIMPUL_… environment variables override it.")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Simpul: a federated hub for citizen complaints."""
    ctx.obj = {"config": config}
