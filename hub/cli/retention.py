"""`simpul retention`: which cases the hub erases by itself, and when; it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from hub.app_core import Core, limits_of
from hub.app_sweeps import rows_in_force
from hub.cli.common import core_of, show
from hub.domain.case import Case
from hub.domain.plausible import goes_on
from hub.domain.policies import CLASSIFICATIONS, RETENTION
from hub.domain.retention import ended_at, kept
from hub.domain.working_time import written
from hub.ports.clock import rfc3339
from hub.service.sweeps import PAGE, held, over_among, recorded_before

WIB = timedelta(hours=7)


@click.command("retention")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="As on that day's end (WIB)."
)
@click.pass_context
def retention(ctx: click.Context, until: datetime | None) -> None:
    """Prints the ended cases whose retention is over now, or will be by DATE, one JSON object a line. A
    running hub erases them by itself, but for those with `held`, which says what keeps them. How long a case
    is kept is a policy row with the stage `retention` (`simpul policy set`); without one nothing is
    erased. While the clock may be wrong, nothing is erased either: it says so."""
    with core_of(ctx) as core:
        rows = rows_in_force(core)
        if not any(row.stage == RETENTION for row in rows):
            click.echo("simpul: no policy has the stage retention; nothing is erased by itself.", err=True)
        present = rfc3339(core.clock.now())
        now = written(until.replace(tzinfo=UTC) + timedelta(days=1) - WIB) if until else present
        goes = False
        for case, held_up in _over(core, now):
            goes |= held_up is None
            show(_document(core, case, held_up, now))
        if goes and (doubt := _doubt(core, present)):
            click.echo(f"simpul: {doubt}", err=True)


def _doubt(core: Core, present: str) -> str | None:
    """Why a running hub might not erase them yet."""
    with core.store.read() as session:
        before = recorded_before(session, present)
    if goes_on(before, present):
        return None
    return (
        f"the clock shows {present}, and what was recorded last before today is of {before or 'no day'}. "
        "Where more than a week lies between them, a hub erases nothing by itself until it has run for a day "
        "with the clock in step; if the clock is wrong, put it right."
    )


def _over(core: Core, now: str) -> Iterator[tuple[Case, str | None]]:
    """With what keeps each all the same, page by page."""
    rows, limits = core.rulebook.rows, limits_of(core.settings)
    for classification in CLASSIFICATIONS:
        after = ("", "")
        while True:
            with core.store.read() as session:
                cases = session.ended_cases(classification, after, PAGE)
                over = [(case, held(session, case.state)) for case in over_among(cases, rows, limits, now)]
            yield from over
            if len(over) < PAGE:
                break
            last = over[-1][0].state
            after = (ended_at(last) or "", last.id)


def _document(core: Core, case: Case, held_up: str | None, now: str) -> dict[str, object]:
    state, known = case.state, kept(case.state, core.rulebook.rows, limits_of(core.settings), now)
    return {
        "case_id": state.id,
        "tracking_number": state.tracking_number,
        "classification": state.complaint["classification"],
        "owner": state.owner,
        "ended_at": ended_at(state),
        "kept_until": known.until if known else None,
        "policy": known.policy.id if known else None,
        "held": held_up,
    }
