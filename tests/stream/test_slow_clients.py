"""Over real sockets: a client that does not read is cut off, whoever reads notices nothing; and what a
thousand open descriptors must not break."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from hub.app_core import open_core
from hub.domain.agency import Agency
from hub.service.requests import RegisterAgency
from hub.settings import Settings
from tests.api.conftest import Caller, running
from tests.parts.postgres import drop_database, make_database
from tests.stream.reading import following
from tests.stream.test_stream_contract import until_open

LARGE = "Air sungai keruh dan berbau sejak pabrik di hulu beroperasi. " * 320


@contextmanager
def unread(caller: Caller) -> Iterator[socket.socket]:
    """A stream that was asked for and is never read, over a small window."""
    where = urlsplit(caller.house.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with connection:
        connection.connect((where.hostname or "", where.port or 0))
        head = f"GET /v1/stream HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {caller.token}\r\n\r\n"
        connection.sendall(head.encode())
        yield connection


async def test_a_client_that_does_not_read_is_cut_off(folder: Path) -> None:
    async with running(folder, stream_write_timeout_s=1, stream_buffer_bytes=256 * 1024) as house:
        app = await house.caller("kab-kotim")
        async with following(app) as live:
            with unread(app) as lazy:
                await until_open(app, 2)
                reading = asyncio.create_task(live.some(60))
                for _ in range(6):
                    await asyncio.gather(*(app.submit(description=LARGE) for _ in range(10)))
                assert [event.position for event in await reading] == list(range(2, 62))
                await until_open(app, 1)
                assert 'simpul_streams_ended_total{cause="slow"} 1.0' in (await app.get("/metrics")).text
                lazy.setblocking(False)
                with pytest.raises(ConnectionResetError):
                    _read_all(lazy)
            case = await app.submit()
            assert (await live.some(1))[0].data["subject"] == case["id"]


def _read_all(connection: socket.socket) -> None:
    """What had arrived; ConnectionResetError where the hub cut it off."""
    while connection.recv(65536):
        pass


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """The next file that is opened has a number beyond 1,023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this account may not open 2,048 files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    yield
    for number in taken:
        os.close(number)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def database() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


def test_other_processes_are_heard_beyond_a_thousand_descriptors(
    tmp_path: Path, database: str, many_descriptors: None
) -> None:
    """With a thousand streams open the connection that hears them may have to be made anew."""
    settings = Settings(data_dir=tmp_path, database_url=database)
    with open_core(settings, migrates=True) as hearing, open_core(settings) as telling:
        before = hearing.store.registry_generation()
        with psycopg.connect(database, autocommit=True) as desk:
            lost = desk.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name LIKE '%listener%'"
            ).fetchall()
        assert lost
        telling.operate(RegisterAgency(Agency("dinas-baru", "Dinas Baru", "agency")))
        deadline = time.monotonic() + 10
        while hearing.store.registry_generation() == before:
            assert time.monotonic() < deadline, "the change was not heard of"
            time.sleep(0.02)
