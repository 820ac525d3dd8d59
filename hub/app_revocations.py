"""The composition root's part for revocations: what a restore from an older backup does again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from hub.ports.clock import rfc3339
from hub.ports.revocations import Standing
from hub.service.requests import ChangeAgency
from hub.store.accounts import AccountTables

if TYPE_CHECKING:
    from hub.app_core import Core

log = structlog.get_logger(__name__)


def revoke_again(core: Core) -> None:
    """After a restore: by the journal beside the master key nobody regains what was taken away since the
    backup. Who is not in the backup yet is passed over. Only ever takes away; done twice it is the same."""
    standing = Standing.of(core.revocations.lines())
    done = {
        "clients": sum(core.rows.revoke_client(name, at) for name, at in standing.clients.items()),
        "officers": _officers(core, standing),
        "agencies": sum(_deactivated(core, name) for name in standing.agencies),
    }
    core.registry.refresh()
    if any(done.values()):
        log.info("revoked_again", **done)


def _officers(core: Core, standing: Standing) -> int:
    """Disabled ones, and those whose password or second factor was changed since: the old ones are good for
    nothing, and a reset gives a new one."""
    rows, now = AccountTables(core.store), rfc3339(core.clock.now())
    voided = sum(rows.void_credentials(name, at, now) for name, at in standing.credentials.items())
    return voided + sum(rows.disable(name, at) for name, at in standing.officers.items())


def _deactivated(core: Core, agency: str) -> bool:
    known = core.registry.agencies.get(agency)
    if known is None or not known.active:
        return False
    core.operate(ChangeAgency(agency, {"active": False}))
    return True


def without_password(core: Core) -> list[str]:
    """The e-mail addresses of the accounts that nobody can sign in by until they are reset."""
    now = rfc3339(core.clock.now())
    return [
        row.email
        for row in AccountTables(core.store).officers()
        if row.disabled_at is None and row.password_hash is None
        if row.one_time_hash is None or (row.one_time_until or "") <= now
    ]
