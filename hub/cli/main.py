"""`simpul`: every command of the hub. Standard output holds only the result; logs go to standard error."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

import click

from hub.cli.group import Commands

CONFIG = click.Path(exists=True, dir_okay=False, path_type=Path)


COMMANDS: Final = {
    "serve": ("serve:serve", "Runs the hub until SIGTERM or Ctrl-C."),
    "migrate": ("database:migrate", "Makes the database, or brings it up to date."),
    "rebuild": ("database:rebuild", "Makes the tables anew from the log; --check only compares."),
    "backup": ("database:backup", "Writes log, keys, vault and attachments to FILE."),
    "restore": ("database:restore", "Puts a backup, FILE, in the place of the database."),
    "move": ("move:move", "Carries the whole hub from SQLite to PostgreSQL."),
    "agency": ("agencies:agency", "Agencies: who takes part."),
    "client": ("clients:client", "OAuth clients: what agencies' systems sign in with."),
    "officer": ("officers:officer", "Officers: the people who sign in with a browser."),
    "key": ("keys:key", "The keys that tokens are signed with, and the master key."),
    "topics": ("broker:topics", "Kafka topics and rights."),
    "deadlines": ("deadlines:deadlines", "Says why each deadline of a case is when it is."),
    "erase": ("erasing:erase", "Destroys a case's words and its reporter's identity."),
    "retention": ("retention:retention", "Lists which ended cases go by themselves; erases nothing."),
    "policy": ("policies:policy", "The deadline policies: dated rows, each with its source."),
    "import": ("importing:import_", "Takes over old cases from a file, once each."),
    "verify": ("verify:verify", "Checks an evidence file."),
    "dead-letter": ("dead_letters:dead_letter", "Records of inbound topics that could not be taken."),
}
"""Each command's module and name there, and its line of help: a command loads what it needs itself, no web
server for a list, and the list of all commands loads none of them."""


class LazyCommands(Commands):
    """A command's module is imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(f"hub.cli.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does it, but by the table, where click asks each command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=CONFIG, help="Settings as TOML; SIMPUL_… environment variables override it.")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Simpul: a federated hub for citizen complaints."""
    ctx.obj = {"config": config}
