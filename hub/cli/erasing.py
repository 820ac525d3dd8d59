"""`simpul erase CASE --reason TEXT`: destroys a case's words and its reporter's identity for good."""

from __future__ import annotations

import click

from hub.app_core import Core
from hub.app_erasures import purge
from hub.cli.common import core_of, show
from hub.cli.deadlines import case_named
from hub.domain.case import CaseState
from hub.domain.commands import Erase
from hub.domain.privacy import mask
from hub.domain.privacy.masking import Masked
from hub.errors import SimpulError
from hub.service.acts import check_schema
from hub.service.identities import own_values_of
from hub.service.views import erasure_view
from schemas.registry import Registry as Schemas


@click.command("erase")
@click.argument("case_name", metavar="CASE")
@click.option(
    "--reason", required=True, metavar="TEXT", help="Stays readable, but for the reporter's values."
)
@click.pass_context
def erase(ctx: click.Context, case_name: str, reason: str) -> None:
    """Destroys the key of CASE (its id or its tracking number): the reporter's identity, every text sealed
    until then and its own attachments, in the tables and on the disk. An open case is closed. There is no way
    back. The hub may be running."""
    check_schema(Schemas.load(), "erasure", {"reason": reason})
    with core_of(ctx) as core:
        state = case_named(core, case_name)
        masked = _masked(core, state, reason)
        outcome = core.operate(Erase(state.id, masked.text))
        done = outcome.case.state.erasure if outcome.case else None
        found = {"case_id": state.id, "tracking_number": state.tracking_number, "already": outcome.replayed}
        found |= {"masked": masked.kinds}
        show(found | (erasure_view(done) if done else {}) | _purged(core))


def _masked(core: Core, state: CaseState, reason: str) -> Masked:
    with core.store.read() as session:
        return mask(reason, own_values_of(session, core.sealer, state, hidden=True))


def _purged(core: Core) -> dict[str, object]:
    """What may still be found, and where; `purged` false where the running hub does it later."""
    try:
        return {"purged": True, "remains": purge(core)}
    except SimpulError as error:
        return {"purged": False, "remains": [str(error)]}
