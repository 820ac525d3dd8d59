"""A real hub on a real port, and a client that holds every answer to the OpenAPI document."""

from __future__ import annotations

import base64
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from auth.clients import hash_secret, new_client_id, new_secret
from auth.scopes import DEFAULT_SCOPES
from hub.api import server as api_server
from hub.api.server import make_runner
from hub.app import Server, build
from hub.app_access import access, secret_box
from hub.app_core import Core, open_core
from hub.domain.agency import Agency
from hub.ports.clock import Clock, rfc3339
from hub.ports.registry import ClientRow
from hub.service.access import client_secret_pepper
from hub.service.requests import RegisterAgency
from hub.settings import Settings
from hub.vault.sealer import Sealer
from schemas.registry import Registry as Schemas
from tests.api.checking import Checker, Reply

PUBLIC = "http://hub.test"
AGENCIES = (
    Agency("kab-kotim", "Kabupaten Kotawaringin Timur", "regency", "62.02"),
    Agency("dinas-pupr-kotim", "Dinas PUPR Kotim", "unit", "62.02", "kab-kotim"),
    Agency("kementerian-pupr", "Kementerian Pekerjaan Umum", "ministry"),
    Agency("bbws", "Balai Besar Wilayah Sungai", "agency"),
    Agency("orang-luar", "Dinas yang tidak ikut", "agency"),
    Agency("ombudsman", "Ombudsman Republik Indonesia", "oversight"),
)


@dataclass
class Caller:
    """One agency's client. Every reply is checked against /openapi.json before a test sees it."""

    house: House
    token: str | None
    agency: str

    async def send(self, method: str, path: str, body: Any = None, **given: Any) -> Reply:
        """`body` as JSON, or bytes as they are. `headers`, `params`, `data` as aiohttp takes them."""
        headers = dict(given.pop("headers", {}))
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            given["data"] = body if isinstance(body, bytes) else orjson.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        async with self.house.http.request(
            method, self.house.url + path, headers=headers, allow_redirects=False, **given
        ) as response:
            reply = Reply(response.status, response.headers, await response.read())
        self.house.checker.check(method, path.partition("?")[0], reply)
        return reply

    async def get(self, path: str, **given: Any) -> Reply:
        return await self.send("GET", path, **given)

    async def post(self, path: str, body: Any = None, **given: Any) -> Reply:
        return await self.send("POST", path, body, **given)

    async def put(self, path: str, body: Any = None, **given: Any) -> Reply:
        return await self.send("PUT", path, body, **given)

    async def submit(self, **changes: Any) -> dict[str, Any]:
        reply = await self.post("/v1/complaints", complaint(self.agency, **changes))
        assert reply.status == 201, reply.text
        return reply.json


@dataclass
class House:
    core: Core
    server: Server
    url: str
    http: aiohttp.ClientSession
    checker: Checker
    callers: dict[str, Caller] = field(default_factory=dict)

    @property
    def nobody(self) -> Caller:
        return Caller(self, None, "")

    def client(self, agency: str, scopes: frozenset[str] | None = None) -> tuple[str, str]:
        """A new client's id and secret."""
        secret = new_secret()
        row = ClientRow(
            new_client_id(),
            agency,
            tuple(sorted(DEFAULT_SCOPES if scopes is None else scopes)),
            hash_secret(secret, client_secret_pepper(self.core.sealer)),
            None,
            rfc3339(self.core.clock.now()),
        )
        self.core.rows.add_client(row)
        return row.id, secret

    async def caller(self, agency: str, scopes: frozenset[str] | None = None) -> Caller:
        if scopes is None and agency in self.callers:
            return self.callers[agency]
        client_id, secret = self.client(agency, scopes)
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        form = {"grant_type": "client_credentials"}
        reply = await self.nobody.send(
            "POST", "/oauth/token", data=form, headers={"Authorization": f"Basic {basic}"}
        )
        assert reply.status == 200, reply.text
        made = Caller(self, reply.json["access_token"], agency)
        if scopes is None:
            self.callers[agency] = made
        return made


@pytest.fixture(scope="session", autouse=True)
def loaded_once() -> Iterator[None]:
    """What the documents are made of differs only where a test has settings of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api_server, "all_documents", described_once(api_server.all_documents))
        yield


def described_once(make: Callable[..., dict[str, bytes]]) -> Callable[..., dict[str, bytes]]:
    """The same documents to every server with the same routes, schemas and settings."""
    made: dict[tuple[Any, ...], tuple[dict[str, bytes], Any]] = {}

    def found(routes: Any, schemas: Schemas, *settings: Any) -> dict[str, bytes]:
        key = (id(routes), id(schemas), *settings)
        if key not in made:
            made[key] = make(routes, schemas, *settings), (routes, schemas)  # kept, so that their ids are
        return made[key][0]

    return found


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with its agencies and its signing key, made once; each test takes a copy."""
    folder = tmp_path_factory.mktemp("furnished") / "var"
    with open_core(Settings(data_dir=folder, public_url=PUBLIC)) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
        access(core, secret_box(core)).ensure_signing_key()
    return folder


@asynccontextmanager
async def running(folder: Path, clock: Clock | None = None, **settings: Any) -> AsyncIterator[House]:
    """A hub on a copied folder and a free port."""
    given = {"data_dir": folder, "public_url": PUBLIC, "log_level": "warning"} | settings
    with open_core(Settings(**given), clock) as core:
        server = build(core, frozenset({"api", "clock"}))
        runner = make_runner(server.web, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await server.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession(auto_decompress=False) as http:
            try:
                yield House(core, server, f"http://127.0.0.1:{port}", http, Checker.made())
            finally:
                server.hub.mailboxes.close()
                await runner.cleanup()
                await server.stop()


@pytest.fixture
def folder(tmp_path: Path, furnished: Path) -> Path:
    return Path(shutil.copytree(furnished, tmp_path / "var"))


@pytest.fixture
async def house(folder: Path) -> AsyncIterator[House]:
    async with running(folder) as made:
        yield made


@pytest.fixture
async def app(house: House) -> Caller:
    """The local app of a regency: source and owner."""
    return await house.caller("kab-kotim")


@pytest.fixture
async def ministry(house: House) -> Caller:
    return await house.caller("kementerian-pupr")


@pytest.fixture
async def stranger(house: House) -> Caller:
    return await house.caller("orang-luar")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The cases whose identity was opened."""
    names: list[str] = []
    real = Sealer.open_identity

    def recorded(self: Sealer, key: Any, name: str, sealed: bytes) -> bytes:
        names.append(name)
        return real(self, key, name, sealed)

    monkeypatch.setattr(Sealer, "open_identity", recorded)
    yield names


def references() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"ADU-{number:05d}"


_REFERENCES = references()


def complaint(agency: str = "kab-kotim", **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "source": {"agency": agency, "reference": next(_REFERENCES)},
        "classification": "complaint",
        "title": "Jalan berlubang di depan pasar",
        "description": "Sudah tiga bulan jalan di depan Pasar Keramat berlubang; dua pengendara jatuh.",
        "category": "road",
        "submitted_at": rfc3339(datetime.now(UTC) - timedelta(hours=1)),
        "channel": "web",
        "location": {"region": "62.02", "address": "Jalan Ahmad Yani"},
        "reporter": {"name": "Siti Rahmawati", "phone": "081234567890", "anonymous": False},
        "confidential": False,
    }
    return document | changes


async def forwarded(
    app: Caller, to: str = "kementerian-pupr", role: str = "lead", **changes: Any
) -> tuple[str, str]:
    """A verified and forwarded case: its id and the leg's."""
    case = await app.submit(**changes)
    reply = await app.post(f"/v1/cases/{case['id']}/verification", {"decision": "accept"})
    assert reply.status == 200, reply.text
    reply = await app.post(f"/v1/cases/{case['id']}/forwardings", {"to": [{"agency": to, "role": role}]})
    assert reply.status == 201, reply.text
    return case["id"], reply.json["items"][0]["id"]
