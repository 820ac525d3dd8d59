"""A refusal's title fits, and it names who can help."""

from __future__ import annotations

from tests.accounts.conftest import PASSWORD, Browser, officer
from tests.api.conftest import House

SITI = "siti@kotim.go.id"


async def test_a_wrong_password_has_a_title_of_its_own(house: House) -> None:
    await officer(house)
    wrong = await Browser(house).sign_in(SITI, "bukan kata sandinya")
    unknown = await Browser(house).sign_in("tidak.ada@kotim.go.id", "bukan kata sandinya")
    assert wrong.json == unknown.json, "nobody learns which address has an account"
    assert (wrong.status, wrong.json["title"]) == (401, "Signing in was refused")
    assert "whoever runs the hub" in wrong.json["detail"]


async def test_no_session_keeps_the_title_of_all_routes(house: House) -> None:
    assert (await Browser(house).get("/v1/cases")).json["title"] == "A valid access token is needed"


async def test_a_role_s_refusal_names_who_can_give_another(house: House) -> None:
    monitor = await officer(house, role="monitor", email="tari@kotim.go.id")
    refused = await monitor.post("/v1/threads", {})
    assert refused.status == 403
    assert "whoever runs the hub" in refused.json["detail"]
    assert "simpul officer role" in refused.json["detail"]
    assert (await monitor.sign_in("tari@kotim.go.id", PASSWORD)).status == 200
