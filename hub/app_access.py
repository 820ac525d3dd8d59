"""The composition root's part for sign-in: tokens, their keys, the box that seals the hub's own secrets."""

from __future__ import annotations

from hub.app_core import Core
from hub.service.access import Access, AccessSettings
from hub.service.threads import Writer
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
