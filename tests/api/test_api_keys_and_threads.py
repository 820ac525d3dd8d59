"""Registry and signing keys belong to the loop's thread: the writer's thread remembers assertions, no more.
And `jwks.json` is whole at every moment, whoever writes it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from auth.clients import new_client_id, public_pem
from auth.errors import InvalidClient
from auth.tokens import TokenIssuer
from hub.ports.clock import rfc3339
from hub.ports.registry import ClientRow
from hub.service.access import write_aside
from hub.service.registry import Registry
from tests.api.conftest import PUBLIC, House

FORM = {
    "grant_type": "client_credentials",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
}


@pytest.fixture
def threads(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, set[str]]]:
    """What -> the names of the threads that did it."""
    seen: dict[str, set[str]] = {"refresh": set(), "issue": set(), "remember": set()}

    def watch(owner: type, method: str, name: str) -> None:
        real = getattr(owner, method)

        def watched(self: Any, *given: Any, **named: Any) -> Any:
            seen[name].add(threading.current_thread().name)
            return real(self, *given, **named)

        monkeypatch.setattr(owner, method, watched)

    watch(Registry, "refresh", "refresh")
    watch(TokenIssuer, "issue", "issue")
    watch(type(house.core.rows), "remember_assertion", "remember")
    yield seen


def keyed_client(house: House, scopes: tuple[str, ...] = ("cases:read",)) -> tuple[str, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    client_id = new_client_id()
    now = rfc3339(house.core.clock.now())
    house.core.rows.add_client(ClientRow(client_id, "bbws", scopes, None, public_pem(key.public_key()), now))
    return client_id, key


def assertion(client_id: str, key: Any) -> str:
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": PUBLIC, "iat": now, "exp": now + 60}
    return jwt.encode(claims | {"jti": str(uuid4())}, key, algorithm="ES256")


async def test_a_grant_by_assertion_leaves_the_writer_only_the_assertion(
    house: House, threads: dict[str, set[str]]
) -> None:
    client_id, key = keyed_client(house)
    form = FORM | {"client_assertion": assertion(client_id, key)}
    replies = [await house.nobody.send("POST", "/oauth/token", data=form) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 401]
    loop = threading.current_thread().name
    assert threads == {"refresh": {loop}, "issue": {loop}, "remember": {"writer"}}


async def test_housekeeping_publishes_keys_without_the_loops_registry(
    house: House, threads: dict[str, set[str]]
) -> None:
    """The chore runs on the writer's thread."""
    file = house.core.settings.data_dir / "jwks.json"
    before = file.read_bytes()
    file.write_bytes(b"{}")
    await house.server.housekeeping.once()
    assert file.read_bytes() == before
    assert threads["refresh"] <= {threading.current_thread().name}


async def test_who_is_revoked_while_its_assertion_is_remembered_gets_no_token(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id, key = keyed_client(house)
    rows = type(house.core.rows)
    real = rows.remember_assertion

    def revoked_meanwhile(self: Any, *given: Any) -> bool:
        self.revoke_client(client_id, rfc3339(house.core.clock.now()))
        return real(self, *given)

    monkeypatch.setattr(rows, "remember_assertion", revoked_meanwhile)
    form = FORM | {"client_assertion": assertion(client_id, key)}
    with pytest.raises(InvalidClient):
        await house.server.access.grant({}, form)


async def test_one_assertion_sent_many_times_at_once_is_taken_once(house: House) -> None:
    client_id, key = keyed_client(house)
    form = FORM | {"client_assertion": assertion(client_id, key)}
    results = await asyncio.gather(
        *(house.server.access.grant({}, form) for _ in range(8)), return_exceptions=True
    )
    assert len([result for result in results if isinstance(result, dict)]) == 1
    assert len([result for result in results if isinstance(result, InvalidClient)]) == 7


async def test_a_file_that_cannot_be_written_refuses_no_request(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, access = await house.caller("bbws"), house.server.access

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    access._published.last = None
    assert (await app.get("/v1/agencies")).status == 200
    with pytest.raises(OSError, match="No space"):
        access.sync_jwks()


async def test_syncing_from_several_threads_leaves_a_whole_file(house: House) -> None:
    file, access = house.core.settings.data_dir / "jwks.json", house.server.access
    before = file.read_bytes()
    await asyncio.gather(*(asyncio.to_thread(access.sync_jwks) for _ in range(40)))
    assert file.read_bytes() == before
    assert [path for path in file.parent.iterdir() if path.name.startswith(".jwks")] == []


def test_writers_side_by_side_never_show_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    contents = [orjson.dumps({"writer": n, "filling": "x" * (40_000 * (n + 1))}) for n in range(4)]
    write_aside(file, contents[0])
    failures: list[BaseException] = []
    done = threading.Event()

    def write(data: bytes) -> None:
        try:
            for _ in range(100):
                write_aside(file, data)
        except BaseException as error:
            failures.append(error)

    def read() -> None:
        while not done.is_set():
            if file.read_bytes() not in contents:
                failures.append(AssertionError("half a file"))
                return

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(data,)) for data in contents]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert failures == []
    assert [path.name for path in tmp_path.iterdir()] == ["jwks.json"]


def test_a_write_that_fails_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError, match=r"jwks\.json"):
        write_aside(file, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["jwks.json"]
