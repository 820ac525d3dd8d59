"""`simpul import FILE --mapping TOML`: old cases, with their states, answers and dates."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Final

import click

from hub.app_core import Core
from hub.cli.common import core_of, show
from hub.service.backlog.desk import BacklogDesk
from hub.service.backlog.files import rows_of
from hub.service.backlog.mapping import BacklogMapping, load_mapping
from hub.service.backlog.taking import DryRun, Run, Taking, Tally, patient
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.requests import Request, Result
from schemas.categories import Categories
from schemas.regions import Regions
from schemas.registry import Registry as Schemas

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
SAY_EVERY_S: Final = 1.0


@click.command("import")
@click.argument("file", type=FILE)
@click.option(
    "--mapping",
    required=True,
    type=FILE,
    help='TOML: whose column is what; the runbook has one under "Old cases".',
)
@click.option("--dry-run", is_flag=True, help="Writes nothing; lists what would be refused.")
@click.pass_context
def import_(ctx: click.Context, file: Path, mapping: Path, dry_run: bool) -> None:
    """Takes over the cases in FILE (CSV, XLSX, NDJSON), once each: run again, it goes on where it stopped.
    Prints a line of JSON for each refused row (row, reference, errors by column) and one with the sums,
    which in a dry run says so; exit 1 when a row was refused. The hub may run meanwhile."""
    plan = load_mapping(mapping, file)
    with core_of(ctx) as core:
        desk = _desk(core, plan)
        trial = DryRun(desk, core.store.read) if dry_run else None
        with closing(trial) if trial else nullcontext():
            run = trial.run if trial else patient(_running(core))
            tally = Taking(desk, plan, run, show).take(rows_of(file, plan), _progress(dry_run))
    show(tally.document(dry_run=dry_run))
    ctx.exit(1 if tally.refused else 0)


def _desk(core: Core, plan: BacklogMapping) -> BacklogDesk:
    codes = ComplaintCodes(Schemas.load(), Regions.load(), Categories.load())
    agencies = core.registry.agencies
    desk = ComplaintDesk(codes=codes, agencies=agencies, sealing=core.sealer, ids=core.ids, clock=core.clock)
    return BacklogDesk(desk, codes.schemas, core.sealer, core.clock, agencies, plan.layout.agency)


def _running(core: Core) -> Run:
    """Ends at once where this process lost its place on the database: that never gets better."""

    def run(requests: Sequence[Request]) -> Sequence[Result]:
        results, _ = core.runner.run(requests)
        core.store.still_present()
        return results

    return run


def _progress(dry_run: bool) -> Callable[[Tally], None]:
    """A line that is written over, for people only."""
    if not sys.stderr.isatty():
        return lambda tally: None
    last = time.monotonic()

    def say(tally: Tally) -> None:
        nonlocal last
        if time.monotonic() - last >= SAY_EVERY_S:
            last = time.monotonic()
            taken = "could be taken" if dry_run else "taken"
            click.echo(
                f"\r{tally.rows} rows, {tally.taken} {taken}, {tally.refused} refused ", nl=False, err=True
            )

    return say
