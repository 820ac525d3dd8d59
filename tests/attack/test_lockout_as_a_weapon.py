"""Whoever goes on guessing at an officer's account shuts himself out of it, and nobody else for long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from auth import lockout, passwords
from hub.app_access import accounts
from tests.accounts.conftest import OTHER, PASSWORD, Browser, MovedClock, officer
from tests.api.checking import Reply
from tests.api.conftest import House, running

SITI = "siti@kotim.go.id"
BUDI = "budi@kotim.go.id"
WRONG = "bukan kata sandinya"
OFFICE, HOTEL = "203.0.113.7", "198.51.100.9"


@pytest.fixture
async def house(folder: Path, clock: MovedClock) -> AsyncIterator[House]:
    """Behind a proxy, which says from where a request comes."""
    async with running(folder, clock, trusted_proxies=(ip_network("127.0.0.0/8"),)) as made:
        yield made


async def attempt(browser: Browser, source: str, password: str = PASSWORD, **more: Any) -> Reply:
    body = {"email": more.pop("email", SITI), "password": password} | more
    return await browser.post("/v1/session", body, headers={"X-Forwarded-For": source})


def device_of(reply: Reply) -> dict[str, str]:
    """The cookies that a browser has after it signed in and out again."""
    (cookie,) = [given for given in reply.headers.getall("Set-Cookie") if "device" in given]  # type: ignore[attr-defined]
    name, value = cookie.split(";")[0].split("=", 1)
    return {name: value}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is not what these tests are about."""
    monkeypatch.setattr(
        passwords, "verify_password", lambda given, known: known is not None and given == PASSWORD
    )


async def test_one_who_guesses_all_day_keeps_nobody_out(quick: None, house: House, clock: MovedClock) -> None:
    """The officer comes with a browser that nobody knows, at any moment."""
    await officer(house)
    waited = 0
    for number in range(200):
        clock.on(minutes=7)
        assert (await attempt(Browser(house), HOTEL, WRONG)).status == 401
        if number % 50 == 49:
            row = accounts(house.core).store.officer_of(SITI)
            assert row is not None
            assert row.failures >= 5, "guesses were taken"
            while (await attempt(Browser(house), f"203.0.113.{number}")).status != 200:
                clock.on(minutes=1)
                waited += 1
    assert waited <= 5, "never longer than the account's own lock, and that once"


async def test_a_known_browser_signs_in_while_the_whole_world_guesses(
    house: House, clock: MovedClock
) -> None:
    await officer(house)
    browser = Browser(house, device_of(await attempt(Browser(house), OFFICE)))
    await guess_from_everywhere(house)
    assert (await attempt(Browser(house), OFFICE)).status == 401, "a strange browser waits"
    assert (await attempt(browser, OFFICE)).status == 200


async def test_a_known_browser_signs_in_beside_somebody_who_guesses_in_the_same_office(
    quick: None, house: House
) -> None:
    await officer(house)
    browser = Browser(house, device_of(await attempt(Browser(house), OFFICE)))
    for number in range(40):
        await attempt(Browser(house), OFFICE, WRONG, email=f"o{number}@kotim.go.id")
    assert (await attempt(Browser(house), OFFICE)).status == 429
    assert (await attempt(browser, OFFICE)).status == 200


async def test_a_reset_gets_in_whatever_others_do(house: House) -> None:
    await officer(house)
    _, password = accounts(house.core).reset(SITI)
    await guess_from_everywhere(house)
    for _ in range(6):
        await attempt(Browser(house), OFFICE, WRONG)
    browser = Browser(house)
    assert (await attempt(browser, OFFICE, password, new_password=OTHER)).status == 200


async def test_who_is_signed_in_changes_the_password_meanwhile(house: House) -> None:
    browser = await officer(house)
    await guess_from_everywhere(house)
    reply = await browser.post("/v1/session/password", {"password": PASSWORD, "new_password": OTHER})
    assert reply.status == 200, reply.text


async def guess_from_everywhere(house: House) -> None:
    for number in range(lockout.ACCOUNT_FREE):
        assert (await attempt(Browser(house), f"192.0.2.{number}", WRONG)).status == 401
    row = accounts(house.core).store.officer_of(SITI)
    assert row is not None
    assert row.locked_until is not None


def test_all_addresses_together_have_few_guesses_a_day() -> None:
    """From ever another address, at the first moment at which the account takes one."""
    seconds, guesses = 0.0, 0
    while seconds < 24 * 3600:
        lock = lockout.LOCKS[min(guesses, len(lockout.LOCKS) - 1)]
        guesses += 1
        seconds += lock.total_seconds() if lock else 0.0
    assert 250 < guesses <= 310


async def test_a_known_browser_may_guess_no_more_than_an_address(house: House, clock: MovedClock) -> None:
    await officer(house)
    stolen = device_of(await attempt(Browser(house), OFFICE))
    for _ in range(5):
        assert (await attempt(Browser(house, dict(stolen)), HOTEL, WRONG)).status == 401
    assert (await attempt(Browser(house, dict(stolen)), HOTEL)).status == 401, "locked from every address"
    assert (await attempt(Browser(house, dict(stolen)), OFFICE)).status == 401
    assert (await attempt(Browser(house), OFFICE)).status == 200, "and the officer is not"


async def test_the_mark_of_a_browser_is_of_one_account_and_has_an_end(
    house: House, clock: MovedClock
) -> None:
    await officer(house)
    await officer(house, BUDI)
    siti_s = device_of(await attempt(Browser(house), OFFICE))
    budi_s = device_of(await attempt(Browser(house), OFFICE, email=BUDI))
    (name,) = siti_s
    made_up = {name: "A" * 48}
    await guess_from_everywhere(house)
    for strange in (budi_s, made_up, {name: siti_s[name][:-1] + "é"}, {name: siti_s[name][:-2]}):
        assert (await attempt(Browser(house, dict(strange)), HOTEL)).status == 401
    clock.on(days=181)
    await guess_from_everywhere(house)
    assert (await attempt(Browser(house, dict(siti_s)), HOTEL)).status == 401


async def test_who_is_locked_out_learns_nothing_of_the_account(house: House) -> None:
    await officer(house)
    bodies = []
    for email in (SITI, "tidak.ada@kotim.go.id"):
        replies = [await attempt(Browser(house), HOTEL, WRONG, email=email) for _ in range(7)]
        bodies.append([(reply.status, reply.body) for reply in replies])
    assert bodies[0] == bodies[1]
    assert len(set(bodies[0])) == 1


def test_what_is_counted_is_bounded_and_forgotten() -> None:
    moment = [0.0]
    guesses = lockout.Guesses(lambda: moment[0])
    for _ in range(5):
        assert guesses.take("siti", HOTEL)
    assert not guesses.take("siti", HOTEL)
    assert guesses.take("siti", OFFICE)
    moment[0] += 24 * 3600
    for _ in range(5):
        assert guesses.take("siti", HOTEL), "a new day"
    for number in range(lockout.MOST_ADDRESSES + 5):
        guesses.take(f"o{number}", HOTEL)
    assert len(guesses._counted) == lockout.MOST_ADDRESSES
