"""What makes an old password or second factor worthless is in the journal beside the master key before it
is in the database: a restore must not revive it."""

from __future__ import annotations

import base64

from hub.app_access import accounts
from hub.ports.revocations import CREDENTIALS_CHANGED, OFFICER_DISABLED, OFFICER_ENABLED
from tests.accounts.conftest import OTHER, PASSWORD, Browser, MovedClock, officer
from tests.accounts.test_second_factor import now_code
from tests.api.conftest import House

SITI = "siti@kotim.go.id"


def written(house: House) -> list[str]:
    row = accounts(house.core).store.officer_of(SITI)
    assert row is not None
    lines = house.core.revocations.lines()
    assert all(line.id == row.id for line in lines if line.what.startswith("officer."))
    assert not lines or lines[-1].at == row.changed_at, "of the same moment as in the database"
    return [line.what for line in lines]


async def test_each_change_is_one_line(house: House, clock: MovedClock) -> None:
    browser = await officer(house)
    assert written(house) == [CREDENTIALS_CHANGED], "the first password"
    clock.on(seconds=60)
    await Browser(house).sign_in(SITI)
    assert len(written(house)) == 1, "signing in changes nothing"
    await browser.post("/v1/session/password", {"password": PASSWORD, "new_password": OTHER})
    assert len(written(house)) == 2
    reply = await browser.post("/v1/session/totp", {"password": OTHER})
    secret = base64.b32decode(reply.json["secret"])
    assert len(house.core.revocations.lines()) == 2, "not in force yet"
    await browser.post("/v1/session/totp/confirmation", {"totp": now_code(secret, clock)})
    assert len(written(house)) == 3
    clock.on(seconds=60)
    body = {"password": OTHER, "totp": now_code(secret, clock)}
    assert (await browser.post("/v1/session/totp/removal", body)).status == 200
    assert written(house) == [CREDENTIALS_CHANGED] * 4
    accounts(house.core).disable(SITI)
    accounts(house.core).reset(SITI)
    assert written(house)[4:] == [OFFICER_DISABLED, OFFICER_ENABLED, CREDENTIALS_CHANGED]
    assert "kotim.go.id" not in house.core.settings.key_path.with_name("revocations.ndjson").read_text()
