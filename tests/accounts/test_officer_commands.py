"""`simpul officer add|list|reset|disable`, beside a running hub."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import orjson
import pytest

from hub.ports.revocations import CREDENTIALS_CHANGED
from tests.accounts.conftest import OTHER, PASSWORD, Browser
from tests.api.conftest import House
from tests.parts.hub import HubProcess

SITI = "siti@kotim.go.id"


def run(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = house.core.settings.data_dir
    settings = {"SIMPUL_DATA_DIR": str(folder), "SIMPUL_PUBLIC_URL": "http://hub.test"}
    beside = HubProcess(folder.parent, settings | {"SIMPUL_LOG_LEVEL": "info"})
    return beside.ended("officer", *arguments)


async def simpul(house: House, *arguments: str) -> Any:
    done = await asyncio.to_thread(run, house, *arguments)
    assert done.returncode == 0, done.stderr
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def given(email: str = SITI, role: str = "coordinator", agency: str = "kab-kotim") -> list[str]:
    return ["add", agency, "--email", email, "--name", "Siti Rahmawati", "--role", role]


async def test_an_officer_s_life(house: House) -> None:
    (added,) = await simpul(house, *given())
    assert len(added["one_time_password"].replace("-", "")) == 30
    browser = Browser(house)
    reply = await browser.sign_in(SITI, added["one_time_password"], new_password=PASSWORD)
    assert (reply.status, reply.json["officer"]["id"]) == (200, added["officer_id"])
    (listed,) = await simpul(house, "list")
    assert listed == {k: v for k, v in added.items() if not k.startswith("one_time")} | {
        "changed_at": listed["changed_at"]
    }
    (reset,) = await simpul(house, "reset", SITI.upper())
    assert (await browser.get("/v1/session")).status == 401, "at once, in the running hub"
    assert (await browser.sign_in(SITI)).status == 401
    assert (await browser.sign_in(SITI, reset["one_time_password"], new_password=OTHER)).status == 200
    (disabled,) = await simpul(house, "disable", SITI)
    assert disabled["disabled_at"] is not None
    assert (await browser.get("/v1/session")).status == 401
    assert (await browser.sign_in(SITI, OTHER)).status == 401


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (given("siti"), 1, "e-mail address"),
        (given("a@b\u200b.go.id"), 1, "e-mail address"),
        (given(agency="tidak-ada"), 1, "No active agency"),
        (given(role="ombudsman"), 1, "of the kind oversight alone"),
        (given(role="hub_administrator"), 1, "of the kind hub alone"),
        (given(role="raja"), 2, "raja"),
        (
            ["add", "kab-kotim", "--email", SITI, "--role", "liaison", "--name", "Siti\u202egnp"],
            1,
            "invisible",
        ),
        (["add", "kab-kotim", "--email", SITI, "--role", "liaison", "--name", " "], 1, "name"),
        (["reset", "tidak.ada@kotim.go.id"], 1, "no officer"),
        (["disable", "tidak.ada@kotim.go.id"], 1, "no officer"),
    ],
)
async def test_what_is_refused_is_one_line(
    house: House, arguments: list[str], status: int, said: str
) -> None:
    done = await asyncio.to_thread(run, house, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


async def test_an_address_is_one_account_s(house: House) -> None:
    await simpul(house, *given())
    done = await asyncio.to_thread(run, house, *given("SITI@kotim.go.id", agency="bbws"))
    assert done.returncode == 1
    assert "There is an account" in done.stderr


async def test_a_role_is_changed_and_sessions_end(house: House) -> None:
    (added,) = await simpul(house, *given())
    browser = Browser(house)
    await browser.sign_in(SITI, added["one_time_password"], new_password=PASSWORD)
    (same,) = await simpul(house, "role", SITI, "coordinator")
    assert same["role"] == "coordinator"
    assert (await browser.get("/v1/session")).status == 200, "nothing was changed"
    (changed,) = await simpul(house, "role", SITI.upper(), "monitor")
    assert (changed["officer_id"], changed["role"]) == (added["officer_id"], "monitor")
    assert (await browser.get("/v1/session")).status == 401, "at once, in the running hub"
    reply = await browser.sign_in(SITI)
    assert (reply.status, reply.json["officer"]["role"]) == (200, "monitor"), "the password stays"
    line = house.core.revocations.lines()[-1]
    assert (line.what, line.id, line.at) == (
        CREDENTIALS_CHANGED, added["officer_id"], changed["changed_at"]
    ), "a restore from before gives nobody the old role unseen"  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["role", SITI, "ombudsman"], 1, "of the kind oversight alone"),
        (["role", SITI, "raja"], 2, "raja"),
        (["role", "tidak.ada@kotim.go.id", "monitor"], 1, "no officer"),
    ],
)
async def test_a_role_that_cannot_be(house: House, arguments: list[str], status: int, said: str) -> None:
    await simpul(house, *given())
    done = await asyncio.to_thread(run, house, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
    assert said in done.stderr


async def test_a_disabled_address_says_what_brings_it_back(house: House) -> None:
    await simpul(house, *given())
    await simpul(house, "disable", SITI)
    done = await asyncio.to_thread(run, house, *given(role="monitor"))
    assert done.returncode == 1
    assert f"`simpul officer reset {SITI}`" in done.stderr
    assert f"`simpul officer role {SITI} monitor`" in done.stderr
    elsewhere = await asyncio.to_thread(run, house, *given(agency="bbws"))
    assert "kab-kotim" in elsewhere.stderr
    assert "another address" in elsewhere.stderr


async def test_roles_are_of_their_agencies(house: House) -> None:
    await simpul(house, *given("a@ombudsman.go.id", "ombudsman", "ombudsman"))
    await simpul(house, *given("b@hub.go.id", "hub_administrator", "hub"))
