"""`simpul policy list|set`: how long each stage may take, and by which source."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import click

from hub.app_core import PAGE, Core
from hub.cli.common import core_of, show
from hub.domain.agency import HUB
from hub.domain.events import agency_stream
from hub.domain.policies import Policy, refuse_changed
from hub.errors import CommandRefused, Held
from hub.service.requests import RecordRules

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("policy")
def policy() -> None:
    """The deadline policies: dated rows, each with its source."""


@policy.command("list")
@click.option("--toml", is_flag=True, help="As the file that `policy set` takes.")
@click.pass_context
def list_(ctx: click.Context, toml: bool) -> None:
    """Prints the rows, one JSON object a line. Of several for one stage, the latest that is valid counts."""
    with core_of(ctx) as core:
        for row in core.rulebook.rows:
            click.echo(_table(row)) if toml else show(row.document())


def _table(row: Policy) -> str:
    """A JSON text, number or truth value is one of TOML too."""
    members = [f"{name} = {json.dumps(value)}" for name, value in row.document().items()]
    return "\n".join(["[[policy]]", *members, ""])


@policy.command("set", short_help="Makes the tables of FILE (TOML) the policies from now on.")
@click.argument("file", type=FILE)
@click.pass_context
def set_(ctx: click.Context, file: Path) -> None:
    """Makes the [[policy]] tables of FILE (TOML) the policies from now on: all of them, as `policy list`
    shows them. Clocks that run keep the row that they started with. The change enters the log."""
    rows = _rows(file)
    with core_of(ctx, begins=True) as core:
        try:
            refuse_changed(rows, _recorded(core))
            core.operate(RecordRules(rows))
        except Held as held:
            raise CommandRefused("Another process is recording rules just now; try again.") from held
        core.rulebook.refresh()
        for row in core.rulebook.rows:
            show(row.document())


def _recorded(core: Core) -> list[Policy]:
    """Every row that the log knows: also those that were taken out again, which cases may cite still."""
    found, after = [], 0
    with core.store.read() as session:
        while events := session.stream(agency_stream(HUB), after, PAGE):
            after = events[-1].sequence
            facts = (event.fact() for event in events)
            changed = (fact.data["policies"] for fact in facts if fact.type == "policy.changed")
            found += [Policy(**row) for rows in changed for row in rows]
    return found


def _rows(file: Path) -> tuple[Policy, ...]:
    """CommandRefused for what is no such file; what a row says is judged by the hub."""
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{file}: no TOML file ({error}).") from error
    found = document.get("policy")
    if not isinstance(found, list) or not found or set(document) != {"policy"}:
        raise CommandRefused(f"{file}: [[policy]] tables are needed, one a row, and nothing else.")
    return tuple(_row(file, index, row) for index, row in enumerate(found))


def _row(file: Path, index: int, row: dict[str, Any]) -> Policy:
    known = {field.name: field.type for field in fields(Policy)}
    needed = {"id", "classification", "stage", "amount", "unit", "valid_from", "source"}
    if unknown := sorted(row.keys() - known.keys()):
        raise CommandRefused(f"{file}: row {index + 1}: {unknown[0]!r} is no member; {', '.join(known)} are.")
    if missing := sorted(needed - row.keys()):
        raise CommandRefused(f"{file}: row {index + 1}: {missing[0]} is missing.")
    row = row | {"valid_from": str(row["valid_from"])}  # TOML has dates of its own
    for name, value in row.items():
        wanted = {"int": int, "bool": bool}.get(str(known[name]), str)
        if type(value) is not wanted:
            raise CommandRefused(f"{file}: row {index + 1}: {name} is not of the right kind ({known[name]}).")
    return Policy(**row)
