"""The composition root's part for revocations: what a restore from an older backup does again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from hub.domain.agency import HUB
from hub.ports.clock import rfc3339
from hub.ports.revocations import Revoked
from hub.service.requests import ChangeAgency
from hub.store.accounts import AccountTables
from hub.store.deliveries import DeliveryTable
from hub.store.revocations import stop_webhook

if TYPE_CHECKING:
    from hub.app_core import Core

PAGE: Final = 200
MOVED: Final = (
    "The hub was restored from a backup; since then this webhook had been pointed elsewhere. Put it again."
)
log = structlog.get_logger(__name__)


def revoke_again(core: Core) -> None:
    """After a restore: by the journal beside the master key nobody regains what was taken away since the
    backup. Who is not in the backup yet is passed over. Only ever takes away; done twice it is the same."""
    revoked = Revoked.of(core.revocations.lines())
    done = {
        "clients": sum(core.rows.revoke_client(name, at) for name, at in revoked.clients.items()),
        "officers": _officers(core, revoked),
        "agencies": sum(_deactivated(core, name) for name in revoked.agencies),
        "webhooks": sum(_webhook(core, name, revoked) for name in revoked.webhooks | revoked.moved),
    }
    core.registry.refresh()
    if any(done.values()):
        log.info("revoked_again", **done)


def _officers(core: Core, revoked: Revoked) -> int:
    """Disabled ones, and those whose password or second factor was changed since: the old ones are good for
    nothing, and a reset gives a new one."""
    rows, now = AccountTables(core.store), rfc3339(core.clock.now())
    voided = sum(rows.void_credentials(name, at, now) for name, at in revoked.credentials.items())
    return voided + sum(rows.disable(name, at) for name, at in revoked.officers.items())


def _deactivated(core: Core, agency: str) -> bool:
    known = core.registry.agencies.get(agency)
    if known is None or not known.active:
        return False
    core.operate(ChangeAgency(agency, {"active": False}))
    return True


def _webhook(core: Core, agency: str, revoked: Revoked) -> bool:
    """The one that the backup has goes if it was deleted since it was made. One that was pointed elsewhere
    since the last act of an agency in the backup rests until it is put again: where to, no journal says."""
    table = DeliveryTable(core.store)
    row = table.webhook(agency)
    if row is None:
        return False
    if revoked.webhooks.get(agency, "") > row.created_at:
        return table.delete_webhook(agency) is not None
    if revoked.moved.get(agency, "") > max(row.created_at, _last_act_at(core)):
        return stop_webhook(core.store, agency, MOVED)
    return False


def _last_act_at(core: Core) -> str:
    """A backup knows no moment of its own; it is not older than what an agency did last. The hub's own events
    may be of this very start. "" where no agency ever did anything."""
    with core.store.read() as session:
        end = session.last_position()
        while end > 0:
            start = max(0, end - PAGE)
            facts = [event.fact() for event in session.events_after(start, end - start)]
            if times := [fact.time for fact in facts if fact.actor != HUB]:
                return max(times)
            end = start
    return ""


def stopped_webhooks(core: Core) -> list[str]:
    """The agencies whose webhook a restore stopped, until they put it again."""
    rows = DeliveryTable(core.store).webhooks()
    return [row.agency for row in rows if not row.active and row.cause == MOVED]


def without_password(core: Core) -> list[str]:
    """The e-mail addresses of the accounts that nobody can sign in by until they are reset."""
    now = rfc3339(core.clock.now())
    return [
        row.email
        for row in AccountTables(core.store).officers()
        if row.disabled_at is None and row.password_hash is None
        if row.one_time_hash is None or (row.one_time_until or "") <= now
    ]
