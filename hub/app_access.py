"""The composition root's part for sign-in: tokens and their keys, officers and their sessions, the box that
seals the hub's own secrets."""

from __future__ import annotations

from datetime import timedelta

from hub.app_core import Core
from hub.service.access import Access, AccessSettings
from hub.service.accounts import Accounts
from hub.service.accounts_proof import Proofs
from hub.service.accounts_sign_in import SignIn
from hub.service.sessions import Sessions
from hub.service.writer import Writer
from hub.store.accounts import AccountTables
from hub.vault.secret_box import HubSecretBox


def secret_box(core: Core) -> HubSecretBox:
    return HubSecretBox(core.sealer, core.rows.hub_key, core.rows.put_hub_key)


def access(core: Core, secrets: HubSecretBox, writer: Writer | None = None) -> Access:
    settings = core.settings
    return Access(
        AccessSettings(settings.issuer, settings.token_lifetime_s, settings.data_dir / "jwks.json"),
        core.registry,
        core.rows,
        core.sealer,
        secrets,
        core.clock,
        writer.run if writer else None,
    )


def accounts(core: Core) -> Accounts:
    """For whoever makes, resets and disables officers' accounts."""
    kept = timedelta(hours=core.settings.one_time_password_hours)
    rows = AccountTables(core.store)
    return Accounts(rows, core.registry.agencies, core.sealer, core.ids, core.clock, kept, core.revocations)


def signing_in(core: Core, secrets: HubSecretBox, writer: Writer) -> SignIn:
    """Officers' sessions, and the way into one."""
    settings, rows = core.settings, AccountTables(core.store)
    idle, lifetime = (
        timedelta(seconds=settings.session_idle_s),
        timedelta(seconds=settings.session_lifetime_s),
    )
    sessions = Sessions(rows, core.registry, core.sealer, core.clock, writer.run, idle, lifetime)
    proofs = Proofs(rows, core.registry, core.sealer, secrets, core.clock, writer.run)
    return SignIn(rows, sessions, proofs, secrets, core.clock, core.revocations)
