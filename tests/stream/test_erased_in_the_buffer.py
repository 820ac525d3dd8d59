"""A case is erased while its events wait for a client that takes its time."""

from __future__ import annotations

import asyncio

from tests.api.conftest import Caller, House
from tests.stream.test_following import Desk, desk, positions, soon

__all__ = ["desk"]
WORDS = b"Jalan berlubang"


async def test_what_waits_is_read_again_without_its_words(desk: Desk, app: Caller, house: House) -> None:
    store = house.core.store
    desk.generation = store.registry_generation()
    follower = await desk.open("a", None)
    case = await app.submit()
    async with asyncio.timeout(5):
        while not follower._queue:
            await asyncio.sleep(0.005)
    assert WORDS in follower._queue[0].wire, "rendered when it came"
    before = store.registry_generation()
    reply = await app.post(f"/v1/cases/{case['id']}/erasure", {"reason": "Permintaan pelapor."})
    assert reply.status == 200
    assert store.registry_generation() > before, "whichever process holds something opened hears of it"
    desk.generation = store.registry_generation()
    piece = await soon(follower.next())
    while len(positions(piece)) < 2:
        piece += await soon(follower.next())
    assert WORDS not in piece and b'"erased":true' in piece
    assert positions(piece) == sorted(set(positions(piece)))
