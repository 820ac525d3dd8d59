"""A real hub with officers who sign in as a browser does; the fixtures of tests/api run it."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.app_access import access, accounts, secret_box
from hub.app_core import open_core
from hub.service.requests import RegisterAgency
from hub.settings import Settings
from tests.api.checking import Reply
from tests.api.conftest import AGENCIES, PUBLIC, Caller, House, loaded_once, running

__all__ = ["loaded_once"]

PASSWORD = "kuda hijau membaca awan"
OTHER = "tujuh perahu di bawah gunung"


class MovedClock:
    """Stands still until a test moves it on; wall clock and monotonic together."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def on(self, **given: float) -> None:
        self.at += timedelta(**given)
        self.seconds += timedelta(**given).total_seconds()


@dataclass
class Browser:
    """Keeps its cookie and the page's CSRF token, as one would."""

    house: House
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str | None = None
    set_cookie: str = ""

    async def send(self, method: str, path: str, body: Any = None, **given: Any) -> Reply:
        headers = dict(given.pop("headers", {}))
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf and (method not in ("GET", "HEAD") or path.partition("?")[0].endswith("/reporter")):
            headers.setdefault("X-CSRF-Token", self.csrf)
        reply = await self.house.nobody.send(method, path, body, headers=headers, **given)
        if "Set-Cookie" in reply.headers:
            self.set_cookie = reply.headers["Set-Cookie"]
            name, value = self.set_cookie.split(";")[0].split("=", 1)
            self.cookies = {name: value} if value.strip('"') else {}
        if path.startswith("/v1/session") and reply.status == 200 and "csrf_token" in reply.json:
            self.csrf = reply.json["csrf_token"]
        return reply

    async def get(self, path: str, **given: Any) -> Reply:
        return await self.send("GET", path, **given)

    async def post(self, path: str, body: Any = None, **given: Any) -> Reply:
        return await self.send("POST", path, body, **given)

    async def sign_in(self, email: str, password: str = PASSWORD, **more: Any) -> Reply:
        return await self.post("/v1/session", {"email": email, "password": password} | more)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("furnished") / "var"
    with open_core(Settings(data_dir=folder, public_url=PUBLIC)) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
        access(core, secret_box(core)).ensure_signing_key()
    return folder


@pytest.fixture
def folder(tmp_path: Path, furnished: Path) -> Path:
    return Path(shutil.copytree(furnished, tmp_path / "var"))


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def house(folder: Path, clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    async with running(folder, clock) as made:
        yield made


@pytest.fixture
async def app(house: House) -> Caller:
    """The local app of the officers' own agency."""
    return await house.caller("kab-kotim")


def add(house: House, email: str = "siti@kotim.go.id", role: str = "coordinator", **more: str) -> str:
    """A new account's one-time password."""
    agency, name = more.get("agency", "kab-kotim"), more.get("name", "Siti Rahmawati")
    _, password = accounts(house.core).add(agency, email, name, role)
    return password


async def officer(
    house: House, email: str = "siti@kotim.go.id", role: str = "coordinator", **more: str
) -> Browser:
    """Someone who has signed in with a password of their own."""
    browser = Browser(house)
    reply = await browser.sign_in(email, add(house, email, role, **more), new_password=PASSWORD)
    assert reply.status == 200, reply.text
    return browser


def problem_of(reply: Reply) -> str:
    """The last part of the problem's type."""
    return str(reply.json["type"]).rpartition(":")[2]


def attributes(set_cookie: str) -> set[str]:
    return {re.sub(r"=.*", "", part).strip() for part in set_cookie.split(";")[1:]}


def read_json(data: bytes) -> Any:
    return orjson.loads(data)
