"""What keeps other sites from using an officer's session, and what a session may do on the same routes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.conftest import PASSWORD, Browser, officer, problem_of
from tests.api.conftest import Caller, House, complaint

SITI = "siti@kotim.go.id"


async def submit(browser: Browser, **given: Any) -> tuple[int, str]:
    reply = await browser.post("/v1/complaints", complaint("kab-kotim"), **given)
    return reply.status, problem_of(reply) if reply.status >= 400 else ""


async def test_a_coordinator_works_on_the_routes_of_all(house: House) -> None:
    browser = await officer(house)
    reply = await browser.post("/v1/complaints", complaint("kab-kotim"))
    assert reply.status == 201, reply.text
    path = f"/v1/cases/{reply.json['id']}"
    assert (await browser.post(f"{path}/verification", {"decision": "accept"})).status == 200
    assert (await browser.get(path)).json["status"] == "verified"


async def test_a_write_needs_the_page_s_token(house: House) -> None:
    browser = await officer(house)
    for token in ("", "x", "é", "A" * 43):
        assert await submit(browser, headers={"X-CSRF-Token": token}) == (403, "csrf")
    another = await officer(house, "budi@kotim.go.id")
    assert await submit(browser, headers={"X-CSRF-Token": str(another.csrf)}) == (403, "csrf")
    browser.csrf = None
    assert await submit(browser) == (403, "csrf")
    assert (await browser.send("DELETE", "/v1/session")).status == 403
    assert (await browser.get("/v1/session")).status == 200, "reading changes nothing"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://hub.test"}, 201),
        ({"Origin": "https://hub.test"}, 403),
        ({"Origin": "http://hub.test.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 201),
        ({}, 201),
    ],
)
async def test_a_write_comes_from_the_hub_s_own_pages(
    house: House, headers: dict[str, str], status: int
) -> None:
    assert (await submit(await officer(house), headers=headers))[0] == status


async def test_the_address_that_the_browser_asked_is_its_own_too(house: House) -> None:
    """A hub that is reached by another name than its public one."""
    assert (await submit(await officer(house), headers={"Origin": house.url}))[0] == 201


async def test_nobody_is_signed_in_from_elsewhere(house: House) -> None:
    """Or an officer would work, unknowing, in an attacker's account."""
    await officer(house)
    body = {"email": SITI, "password": PASSWORD}
    reply = await Browser(house).post("/v1/session", body, headers={"Sec-Fetch-Site": "cross-site"})
    assert (reply.status, problem_of(reply), "Set-Cookie" in reply.headers) == (403, "csrf", False)
    form = await house.nobody.send(
        "POST", "/v1/session", b'{"email": "a"}', headers={"Content-Type": "text/plain"}
    )
    assert form.status == 415, "what a form can send is no sign-in"


async def test_a_token_goes_before_a_cookie_and_needs_nothing_more(house: House, app: Caller) -> None:
    browser = await officer(house, role="monitor")
    browser.csrf = None
    reply = await browser.post(
        "/v1/complaints", complaint("kab-kotim"), headers={"Authorization": f"Bearer {app.token}"}
    )
    assert reply.status == 201, reply.text
    bad = await browser.get("/v1/cases", headers={"Authorization": "Bearer salah"})
    assert bad.status == 401


async def test_a_client_has_no_session(app: Caller) -> None:
    assert (await app.get("/v1/session")).status == 404
    assert (await app.send("DELETE", "/v1/session")).status == 404
    assert (await app.post("/v1/session/totp", {"password": PASSWORD})).status == 404


async def test_keys_of_two_officers_are_two(house: House) -> None:
    one, two = await officer(house), await officer(house, "budi@kotim.go.id")
    key = {"Idempotency-Key": "satu"}
    assert (await submit(one, headers=key))[0] == 201
    assert (await submit(two, headers=key))[0] == 201


async def test_a_monitor_reads_what_those_below_take_part_in(house: House, app: Caller) -> None:
    ministry = await house.caller("kementerian-pupr")
    case = (await ministry.post("/v1/complaints", complaint("kementerian-pupr"))).json
    await ministry.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    path = f"/v1/cases/{case['id']}"
    monitor = await officer(house, role="monitor")
    coordinator = await officer(house, "budi@kotim.go.id")
    assert (await monitor.get(path)).status == 404
    to = {"to": [{"agency": "dinas-pupr-kotim", "role": "lead"}]}
    leg = (await ministry.post(f"{path}/forwardings", to)).json["items"][0]
    seen = await monitor.get(path)
    assert (seen.status, seen.json["actions"]) == (200, [])
    assert "name" not in seen.json["complaint"]["reporter"], "who looks from above needs no names"
    assert (await monitor.get(f"{path}/history")).json["items"]
    assert [each["id"] for each in (await monitor.get("/v1/cases")).json["items"]] == [case["id"]]
    assert (await coordinator.get(path)).status == 404
    assert (await coordinator.get("/v1/cases")).json["items"] == []
    assert (await app.get(path)).status == 404, "nor does the agency's own system"
    handler = await house.caller("dinas-pupr-kotim")
    await handler.post(f"/v1/forwardings/{leg['id']}/return", {"reason": "not_ours"})
    assert (await monitor.get(path)).status == 404, "nobody below takes part any more"


async def test_an_officer_who_is_disabled_writes_no_more(house: House) -> None:
    """Asked again in the transaction: a session that was checked a moment ago is not enough."""
    from hub.app_access import accounts
    from hub.domain.commands import Close
    from hub.errors import Unauthenticated
    from hub.service.requests import Request
    from hub.service.sessions import principal_of

    await officer(house)
    row = accounts(house.core).store.officer_of(SITI)
    assert row is not None
    principal = principal_of(row, house.core.registry.agencies, house.core.clock.now())
    request = Request(principal, Close(house.core.ids.new(), "resolved", None))
    assert house.core.runner.run([request])[0][0].status == 404
    accounts(house.core).disable(SITI)
    assert isinstance(house.core.runner.run([request])[0][0], Unauthenticated)


async def test_a_monitor_s_list_has_pages_without_gaps(house: House, app: Caller) -> None:
    unit = await house.caller("dinas-pupr-kotim")
    made = [(await (app, unit)[n % 2].submit())["id"] for n in range(7)]
    monitor = await officer(house, role="monitor")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await monitor.get("/v1/cases", params=params)).json
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    since = {"updated_since": "2025-01-01T00:00:00Z"}
    assert [each["id"] for each in (await monitor.get("/v1/cases", params=since)).json["items"]] == made
    owned = (await monitor.get("/v1/cases", params={"role": "owner"})).json["items"]
    assert {each["owner"] for each in owned} == {"kab-kotim"}
