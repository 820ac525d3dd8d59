"""Whoever knows the old password signs in while it is being taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from hub.app_access import accounts
from hub.service.accounts_proof import HASHES_AT_ONCE
from hub.service.accounts_sign_in import SignIn
from tests.accounts.conftest import OTHER, PASSWORD, Browser, MovedClock, officer
from tests.api.checking import Reply
from tests.api.conftest import House

SITI = "siti@kotim.go.id"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[SignIn]:
    """The sign-in desks that are made meanwhile."""
    found: list[SignIn] = []
    before = SignIn.__init__

    def init(self: SignIn, *given: object) -> None:
        before(self, *given)  # type: ignore[arg-type]
        found.append(self)

    monkeypatch.setattr(SignIn, "__init__", init)
    return found


async def meanwhile(
    desk: SignIn, house: House, thief: Browser, change: Callable[[], Awaitable[None]]
) -> Reply:
    """The thief's attempt, counted before `change` and judged after it: its hash waits for its turn."""
    async with AsyncExitStack() as turns:
        for _ in range(HASHES_AT_ONCE):
            await turns.enter_async_context(desk.proofs._hashing)
        attempt = asyncio.create_task(thief.sign_in(SITI))
        while not desk.proofs._waiting:
            await asyncio.sleep(0)
        await change()
    return await attempt


async def test_a_reset_leaves_no_session_to_who_signs_in_meanwhile(
    made: list[SignIn], house: House, clock: MovedClock
) -> None:
    await officer(house)
    clock.on(seconds=1)

    async def reset() -> None:
        clock.on(seconds=1)
        accounts(house.core).reset(SITI)

    thief = Browser(house)
    reply = await meanwhile(made[-1], house, thief, reset)
    assert reply.status == 401, reply.text
    assert (await thief.get("/v1/session")).status == 401


async def test_a_new_password_ends_also_the_session_that_just_begins(
    made: list[SignIn], house: House, clock: MovedClock
) -> None:
    """The thief proved the old password first, and asks for the session last."""
    siti = await officer(house)
    clock.on(seconds=1)
    desk, thief = made[-1], Browser(house)
    begin = desk.sessions.begin
    proven, changed = asyncio.Event(), asyncio.Event()

    async def late(*given: object) -> object:
        if not proven.is_set():
            proven.set()
            await changed.wait()
        return await begin(*given)  # type: ignore[arg-type]

    desk.sessions.begin = late  # type: ignore[method-assign,assignment]
    attempt = asyncio.create_task(thief.sign_in(SITI))
    await proven.wait()
    clock.on(seconds=1)
    body = {"password": PASSWORD, "new_password": OTHER}
    assert (await siti.post("/v1/session/password", body)).status == 200
    changed.set()
    assert (await attempt).status == 401
    assert (await thief.get("/v1/session")).status == 401
    assert (await siti.get("/v1/session")).status == 200
