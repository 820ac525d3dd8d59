"""Signing in and out: one answer for every wrong guess, locks that grow, one-time passwords used once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.app_access import accounts
from hub.service.requests import ChangeAgency
from hub.store.accounts import AccountTables
from tests.accounts.conftest import (
    OTHER,
    PASSWORD,
    Browser,
    MovedClock,
    add,
    attributes,
    officer,
    problem_of,
)
from tests.api.conftest import House, running

SITI = "siti@kotim.go.id"


async def test_the_first_signing_in_demands_a_password_of_ones_own(house: House) -> None:
    browser, password = Browser(house), add(house)
    reply = await browser.sign_in(SITI, password)
    assert (reply.status, problem_of(reply)) == (403, "new-password-needed")
    reply = await browser.sign_in(SITI, password, new_password="password1234")
    assert (reply.status, reply.pointers) == (422, ["/new_password"])
    reply = await browser.sign_in(SITI, password, new_password=PASSWORD)
    assert reply.status == 200
    told = reply.json["officer"]
    assert (told["name"], told["agency"], told["role"]) == ("Siti Rahmawati", "kab-kotim", "coordinator")
    assert (await browser.get("/v1/session")).json == reply.json
    assert (await Browser(house).sign_in(SITI)).status == 200
    again = await Browser(house).sign_in(SITI, password, new_password=OTHER)
    assert (again.status, problem_of(again)) == (401, "sign-in-refused"), "a one-time password is for once"


async def test_a_one_time_password_that_two_use_at_once_is_one_s(house: House) -> None:
    password = add(house)
    replies = await asyncio.gather(
        *(Browser(house).sign_in(SITI, password, new_password=new) for new in (PASSWORD, OTHER))
    )
    assert sorted(reply.status for reply in replies) == [200, 401]


async def test_a_one_time_password_expires(house: House, clock: MovedClock) -> None:
    password = add(house)
    clock.on(hours=72, seconds=1)
    assert (await Browser(house).sign_in(SITI, password, new_password=PASSWORD)).status == 401


async def test_the_cookie_is_for_the_browser_alone(house: House) -> None:
    browser = await officer(house)
    assert attributes(browser.set_cookie) == {"HttpOnly", "Max-Age", "Path", "SameSite"}
    assert "Path=/" in browser.set_cookie
    assert "SameSite=Lax" in browser.set_cookie


async def test_by_https_the_cookie_is_secure_and_bound_to_the_host(folder: Path) -> None:
    async with running(folder, public_url="https://hub.test") as house:
        browser = await officer(house)
        assert browser.set_cookie.startswith("__Host-simpul_session=")
        assert "Secure" in attributes(browser.set_cookie)
        assert (await browser.get("/v1/session")).status == 200
        (value,) = browser.cookies.values()
        tossed = Browser(house, {"simpul_session": value})
        assert (await tossed.get("/v1/session")).status == 401, "a neighbouring host could have set that one"


async def test_nobody_learns_which_address_has_an_account(house: House) -> None:
    await officer(house)
    known = await Browser(house).sign_in(SITI, "bukan kata sandinya")
    unknown = await Browser(house).sign_in("tidak.ada@kotim.go.id", "bukan kata sandinya")
    assert (known.status, unknown.status) == (401, 401)
    assert known.body == unknown.body
    accounts(house.core).disable(SITI)
    disabled = await Browser(house).sign_in(SITI)
    assert (disabled.status, disabled.body) == (401, known.body)


async def test_what_is_looked_up_costs_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed and a row is written, whether or not there is such an account."""
    await officer(house)
    done: list[str] = []
    from auth import passwords

    verify, write = passwords.verify_password, AccountTables.take_attempt

    def verified(password: str, known: str | None) -> bool:
        done.append("hash")
        return verify(password, known)

    def taken(self: AccountTables, *given: object) -> object:
        before = house.core.store._writer.total_changes  # type: ignore[union-attr]
        try:
            return write(self, *given)  # type: ignore[arg-type]
        finally:
            done.append(f"rows {house.core.store._writer.total_changes - before}")  # type: ignore[union-attr]

    monkeypatch.setattr(passwords, "verify_password", verified)
    monkeypatch.setattr(AccountTables, "take_attempt", taken)
    for email in (SITI, "tidak.ada@kotim.go.id"):
        done.clear()
        assert (await Browser(house).sign_in(email, "bukan kata sandinya")).status == 401
        assert done == ["rows 1", "hash"]


async def test_an_address_is_the_same_in_capitals(house: House) -> None:
    await officer(house)
    assert (await Browser(house).sign_in(" SITI@Kotim.GO.id")).status == 200


async def test_the_lock_grows_and_has_an_end(house: House, clock: MovedClock) -> None:
    await officer(house)

    async def attempt(password: str) -> int:
        return (await Browser(house).sign_in(SITI, password)).status

    for _ in range(5):
        assert await attempt("bukan kata sandinya") == 401
    assert await attempt(PASSWORD) == 401, "locked, for whoever comes from there"
    for lock_s in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        clock.on(seconds=lock_s - 1)
        assert await attempt(PASSWORD) == 401, f"{lock_s} s"
        clock.on(seconds=1)
        assert await attempt("bukan kata sandinya") == 401
    clock.on(hours=1)
    assert await attempt(PASSWORD) == 200, "never longer than an hour"
    for _ in range(4):
        assert await attempt("bukan kata sandinya") == 401
    assert await attempt(PASSWORD) == 200, "what was right began a new count"


async def test_many_guesses_at_once_are_many(house: House) -> None:
    await officer(house)
    await asyncio.gather(*(Browser(house).sign_in(SITI, f"tebakan nomor {n}") for n in range(12)))
    row = AccountTables(house.core.store).officer_of(SITI)
    assert row is not None
    assert row.failures == 5, "the sixth found it locked"
    assert (await Browser(house).sign_in(SITI)).status == 401


async def test_one_address_may_fail_so_often_and_no_more(house: House, clock: MovedClock) -> None:
    await officer(house)
    for number in range(30):
        assert (await Browser(house).sign_in(f"o{number}@kotim.go.id", "tebakan")).status == 401
    refused = await Browser(house).sign_in(SITI)
    assert (refused.status, int(refused.headers["Retry-After"])) == (429, 10)
    clock.on(seconds=10)
    for _ in range(3):
        assert (await Browser(house).sign_in(SITI)).status == 200, "a right one costs nothing"


async def test_signing_in_again_ends_the_session_that_the_browser_had(house: House) -> None:
    browser = await officer(house)
    former = Browser(house, dict(browser.cookies), browser.csrf)
    assert (await browser.sign_in(SITI)).status == 200
    assert browser.cookies != former.cookies
    assert (await former.get("/v1/session")).status == 401


async def test_signing_out_ends_it_everywhere(house: House) -> None:
    browser = await officer(house)
    thief = Browser(house, dict(browser.cookies), browser.csrf)
    assert (await thief.get("/v1/session")).status == 200
    reply = await browser.send("DELETE", "/v1/session")
    assert (reply.status, browser.cookies) == (200, {})
    assert (await thief.get("/v1/session")).status == 401
    assert (await browser.get("/v1/session")).status == 401


@pytest.mark.parametrize("how", ["disable", "reset"])
async def test_a_change_of_the_account_ends_its_sessions_at_once(house: House, how: str) -> None:
    browser = await officer(house)
    assert (await browser.get("/v1/cases")).status == 200
    getattr(accounts(house.core), how)(SITI)
    assert (await browser.get("/v1/cases")).status == 401
    assert (await Browser(house).sign_in(SITI)).status == 401, "the former password is gone too"


async def test_a_reset_account_begins_anew(house: House) -> None:
    await officer(house)
    accounts(house.core).disable(SITI)
    _, password = accounts(house.core).reset(SITI)
    assert (await Browser(house).sign_in(SITI, password, new_password=OTHER)).status == 200


async def test_a_session_ends_when_nothing_is_done(house: House, clock: MovedClock) -> None:
    browser = await officer(house)
    for _ in range(3):
        clock.on(minutes=29)
        assert (await browser.get("/v1/session")).status == 200
    clock.on(minutes=31)
    assert (await browser.get("/v1/session")).status == 401


async def test_a_session_ends_after_half_a_day_whatever_is_done(house: House, clock: MovedClock) -> None:
    browser = await officer(house)
    for _ in range(29):
        clock.on(minutes=24.5)
        assert (await browser.get("/v1/session")).status == 200
    clock.on(minutes=24.5)
    assert (await browser.get("/v1/session")).status == 401
    assert house.server.hub.writer is not None
    rows = AccountTables(house.core.store)
    assert (
        rows.forget_sessions("2000-01-01T00:00:00.000Z", clock.now().strftime("%Y-%m-%dT%H:%M:%S.999Z")) == 1
    )


async def test_a_restart_and_another_process_know_the_session(folder: Path) -> None:
    async with running(folder) as first:
        browser = await officer(first)
    async with running(folder) as second:
        browser.house = second
        assert (await browser.get("/v1/session")).status == 200


async def test_changing_the_password_ends_every_other_session(house: House) -> None:
    browser = await officer(house)
    other = Browser(house)
    await other.sign_in(SITI)
    refused = await browser.post("/v1/session/password", {"password": OTHER, "new_password": OTHER})
    assert refused.status == 401
    same = await browser.post("/v1/session/password", {"password": PASSWORD, "new_password": PASSWORD})
    assert (same.status, same.pointers) == (422, ["/new_password"])
    reply = await browser.post("/v1/session/password", {"password": PASSWORD, "new_password": OTHER})
    assert reply.status == 200, reply.text
    assert (await browser.get("/v1/session")).status == 200, "this browser goes on"
    assert (await other.get("/v1/session")).status == 401
    assert (await Browser(house).sign_in(SITI)).status == 401
    assert (await Browser(house).sign_in(SITI, OTHER)).status == 200


@pytest.mark.parametrize("cookie", ["", "x", "A" * 64, "A" * 63 + "=", "é" * 64])
async def test_a_cookie_that_was_made_up_is_refused(house: House, cookie: str) -> None:
    reply = await Browser(house, {"simpul_session": cookie}).get("/v1/cases")
    assert reply.status == 401


async def test_the_agency_s_end_is_the_session_s(house: House) -> None:
    browser = await officer(house)
    house.core.operate(ChangeAgency("kab-kotim", {"active": False}))
    assert (await browser.get("/v1/session")).status == 401
    assert (await Browser(house).sign_in(SITI)).status == 401


async def test_an_agency_that_is_active_again_has_its_officers_sign_in_anew(house: House) -> None:
    siti = await officer(house)
    for active in (False, True):
        house.core.operate(ChangeAgency("kab-kotim", {"active": active}))
    assert (await siti.get("/v1/session")).status == 401
    assert (await (await officer(house, "budi@kotim.go.id")).get("/v1/session")).status == 200
