"""The second factor: RFC 6238's own values, a code for once, a wrong one that counts as a wrong password."""

from __future__ import annotations

import base64

import pytest

from auth import totp
from hub.app_access import accounts
from tests.accounts.conftest import OTHER, PASSWORD, Browser, MovedClock, officer, problem_of
from tests.api.checking import Reply
from tests.api.conftest import House

SITI = "siti@kotim.go.id"
SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_values_of_rfc_6238(at: int, code: str) -> None:
    assert totp.code_at(SECRET, at // totp.STEP_S) == code
    assert totp.step_of(SECRET, code, at) == at // totp.STEP_S
    assert totp.step_of(SECRET, code, at + 30) == at // totp.STEP_S
    assert totp.step_of(SECRET, code, at + 61) is None
    assert totp.step_of(SECRET, "é" + code[1:], at) is None


async def enrolled(house: House, clock: MovedClock) -> tuple[Browser, bytes]:
    browser = await officer(house)
    reply = await browser.post("/v1/session/totp", {"password": PASSWORD})
    assert reply.status == 200, reply.text
    assert reply.json["secret"] in reply.json["uri"]
    secret = base64.b32decode(reply.json["secret"])
    wrong = await browser.post("/v1/session/totp/confirmation", {"totp": "000000"})
    assert (wrong.status, wrong.pointers) == (422, ["/totp"])
    assert (await Browser(house).sign_in(SITI)).status == 200, "not in force before it is confirmed"
    reply = await browser.post("/v1/session/totp/confirmation", {"totp": now_code(secret, clock)})
    assert (reply.status, reply.json["officer"]["totp"]) == (200, True)
    assert (await browser.get("/v1/session")).json["officer"]["totp"]
    return browser, secret


def now_code(secret: bytes, clock: MovedClock) -> str:
    return totp.code_at(secret, int(clock.now().timestamp()) // totp.STEP_S)


async def test_signing_in_needs_a_fresh_code(house: House, clock: MovedClock) -> None:
    _, secret = await enrolled(house, clock)
    reply = await Browser(house).sign_in(SITI)
    assert (reply.status, problem_of(reply)) == (401, "totp-needed")
    reused = await Browser(house).sign_in(SITI, totp=now_code(secret, clock))
    assert reused.status == 401, "the code that confirmed it was used"
    clock.on(seconds=30)
    code = now_code(secret, clock)
    assert (await Browser(house).sign_in(SITI, totp=code)).status == 200
    assert (await Browser(house).sign_in(SITI, totp=code)).status == 401
    wrong = await Browser(house).sign_in(SITI, "bukan kata sandinya", totp=code)
    assert problem_of(wrong) == "sign-in-refused", "who has not the password learns nothing of the code"


async def test_wrong_codes_lock_the_account_and_missing_ones_do_not(house: House, clock: MovedClock) -> None:
    _, secret = await enrolled(house, clock)
    clock.on(seconds=60)
    for _ in range(7):
        assert problem_of(await Browser(house).sign_in(SITI)) == "totp-needed"
    for _ in range(4):
        await Browser(house).sign_in(SITI, totp="000000")
        assert problem_of(await Browser(house).sign_in(SITI)) == "totp-needed", "and takes no failure back"
    await Browser(house).sign_in(SITI, totp="000000")
    locked = await Browser(house).sign_in(SITI, totp=now_code(secret, clock))
    assert problem_of(locked) == "sign-in-refused"


async def test_another_secret_needs_a_code_of_the_one_that_is_there(house: House, clock: MovedClock) -> None:
    browser, secret = await enrolled(house, clock)
    clock.on(seconds=60)
    asked = await browser.post("/v1/session/totp", {"password": PASSWORD})
    assert (asked.status, problem_of(asked)) == (401, "totp-needed")
    wrong = await browser.post("/v1/session/totp", {"password": PASSWORD, "totp": "000000"})
    assert (wrong.status, problem_of(wrong)) == (401, "totp-needed")
    code = now_code(secret, clock)
    reply = await browser.post("/v1/session/totp", {"password": PASSWORD, "totp": code})
    assert reply.status == 200, reply.text
    another = base64.b32decode(reply.json["secret"])
    assert (await Browser(house).sign_in(SITI, totp=code)).status == 401, "the code was used"
    clock.on(seconds=30)
    assert (await Browser(house).sign_in(SITI, totp=now_code(secret, clock))).status == 200, "still in force"
    clock.on(seconds=30)
    confirmed = await browser.post("/v1/session/totp/confirmation", {"totp": now_code(another, clock)})
    assert confirmed.status == 200
    clock.on(seconds=30)
    assert (await Browser(house).sign_in(SITI, totp=now_code(secret, clock))).status == 401
    assert (await Browser(house).sign_in(SITI, totp=now_code(another, clock))).status == 200


async def test_it_is_removed_by_the_password_and_a_code(house: House, clock: MovedClock) -> None:
    browser, secret = await enrolled(house, clock)
    clock.on(seconds=60)

    async def remove(password: str, code: str) -> Reply:
        return await browser.post("/v1/session/totp/removal", {"password": password, "totp": code})

    code = now_code(secret, clock)
    assert problem_of(await remove("bukan kata sandinya", code)) == "sign-in-refused"
    assert problem_of(await remove(PASSWORD, "000000")) == "totp-needed"
    reply = await remove(PASSWORD, code)
    assert (reply.status, reply.json["officer"]["totp"]) == (200, False)
    assert not (await browser.get("/v1/session")).json["officer"]["totp"]
    assert (await Browser(house).sign_in(SITI)).status == 200
    clock.on(seconds=30)
    assert (await remove(PASSWORD, now_code(secret, clock))).status == 409, "there is none any more"


async def test_a_removal_needs_the_page_s_token(house: House, clock: MovedClock) -> None:
    browser, secret = await enrolled(house, clock)
    clock.on(seconds=60)
    browser.csrf = None
    body = {"password": PASSWORD, "totp": now_code(secret, clock)}
    assert (await browser.post("/v1/session/totp/removal", body)).status == 403
    app = await house.caller("kab-kotim")
    assert (await app.post("/v1/session/totp/removal", body)).status == 404


async def test_a_removal_cannot_be_guessed_from_a_session_that_was_left_open(
    house: House, clock: MovedClock
) -> None:
    browser, secret = await enrolled(house, clock)
    clock.on(seconds=60)
    for number in range(5):
        wrong = {"password": PASSWORD, "totp": f"{number:06d}"}
        assert (await browser.post("/v1/session/totp/removal", wrong)).status == 401
    right = {"password": PASSWORD, "totp": now_code(secret, clock)}
    assert problem_of(await browser.post("/v1/session/totp/removal", right)) == "sign-in-refused"
    clock.on(seconds=30)
    right = {"password": PASSWORD, "totp": now_code(secret, clock)}
    assert (await browser.post("/v1/session/totp/removal", right)).status == 200


async def test_what_a_reset_took_away_no_late_request_brings_back(house: House, clock: MovedClock) -> None:
    await enrolled(house, clock)
    row = accounts(house.core).store.officer_of(SITI)
    assert row is not None
    clock.on(seconds=60)
    accounts(house.core).reset(SITI)
    late = accounts(house.core).store.set_totp(
        row.id, pending=row.totp_sealed, sealed=row.totp_sealed, step=1, now="z", unchanged=row.changed_at
    )
    assert not late
    after = accounts(house.core).store.officer_of(SITI)
    assert after is not None
    assert after.totp_sealed is None


async def test_a_reset_still_removes_it(house: House, clock: MovedClock) -> None:
    await enrolled(house, clock)
    _, password = accounts(house.core).reset(SITI)
    reply = await Browser(house).sign_in(SITI, password, new_password=OTHER)
    assert (reply.status, reply.json["officer"]["totp"]) == (200, False)


async def test_the_password_is_asked_for_again(house: House) -> None:
    browser = await officer(house)
    assert (await browser.post("/v1/session/totp", {"password": "bukan kata sandinya"})).status == 401


async def test_the_secret_lies_sealed(house: House, clock: MovedClock) -> None:
    _, secret = await enrolled(house, clock)
    row = accounts(house.core).store.officer_of(SITI)
    assert row is not None
    assert row.totp_sealed is not None
    assert secret not in row.totp_sealed
    assert "totp_sealed" not in repr(row)
