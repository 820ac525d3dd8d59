"""`simpul`: every command of the hub. Standard output holds only the result; logs go to standard error."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli import agencies, broker, clients, database, dead_letters, keys, move, serve
from hub.cli.common import Commands

CONFIG = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=CONFIG, help="Settings as TOML; SIMPUL_… environment variables override it.")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """Simpul: a federated hub for citizen complaints."""
    ctx.obj = {"config": config}


main.add_command(serve.serve)
main.add_command(database.migrate)
main.add_command(database.rebuild)
main.add_command(database.backup)
main.add_command(database.restore)
main.add_command(move.move)
main.add_command(agencies.agency)
main.add_command(clients.client)
main.add_command(keys.key)
main.add_command(broker.topics)
main.add_command(dead_letters.dead_letter)
