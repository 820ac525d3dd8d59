"""Random lives of threads through the API of a whole hub: nobody ever reads, by any route, what its rights at
that time exclude, and everybody reads what it must.

`SIMPUL_TEST_LIVES` sets how many lives are lived (default 25).

Rules that were broken on purpose, one at a time, and failed here: words that were taken back left in
mailboxes; internal messages listed, or told, to others; commitments listed to who left, or missed in
silence; a case that names every thread about it; a file given to anybody; who left reading what stands now,
or edits made meanwhile; a repeated request refused to who left; a read mark on what is not to be seen;
sources that are not told what they carry."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import orjson
import pytest

from hub.cli.database import fold
from hub.store.rebuilding import check_rebuild, rebuild_in_place
from tests.api.threads.lifehouse import EVERYONE, Lifehouse, StoodClock, furnish, lifehouse
from tests.api.threads.liferooms import Room
from tests.api.threads.lifewatch import LifeWatch
from tests.api.threads.lifework import Work
from tests.domain.threads.roomrights import words_in
from tests.parts.postgres import drop_database, make_database

LIVES = int(os.environ.get("SIMPUL_TEST_LIVES", "25"))
STEPS = 32
MUCH = 20
KINDS = {
    *("message_posted", "message_edited", "message_withdrawn", "participant_added", "participant_left"),
    *("commitment_made", "commitment_changed", "commitment_fulfilled", "commitment_missed"),
    *("opened", "concluded", "reopened"),
}


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lives") / "var"
    furnish(folder)
    return folder


@pytest.fixture
def database() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


async def test_lives(on_sqlite: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(on_sqlite, tmp_path / "var"))
    await live(folder, LIVES)


@pytest.mark.postgres
async def test_lives_on_postgresql(tmp_path: Path, database: str) -> None:
    furnish(tmp_path / "var", database)
    await live(tmp_path / "var", max(2, LIVES // 10), database)


async def live(folder: Path, lives: int, database: str | None = None) -> None:
    clock, rooms = StoodClock(), list[Room]()
    last = dict.fromkeys(EVERYONE, 0)
    async with lifehouse(folder, clock, database) as home:
        await home.listen()
        watch = None
        for number in range(lives):
            watch = await one_life(home, number, rooms, last)
        assert watch is not None
        assert lives < MUCH or happened(rooms) == KINDS, "every kind of event was there"
        for agency in EVERYONE:
            await delivered(home, watch, agency)
        before = await everything(home, rooms[-6:])
        core = home.house.core
        assert check_rebuild(core.store, fold(core.sealer))[1] is None
    async with lifehouse(folder, clock, database) as home:
        rebuild_in_place(home.house.core.store, fold(home.house.core.sealer))
        assert await everything(home, rooms[-6:]) == before


def happened(rooms: list[Room]) -> set[str]:
    return {kind for room in rooms for _, kind in room.told}


async def one_life(home: Lifehouse, number: int, rooms: list[Room], last: dict[str, int]) -> LifeWatch:
    life = Work(home, Random(number))
    await life.begin()
    rooms += life.rooms
    watch = LifeWatch(life, rooms)
    for step in range(STEPS):
        await life.step()
        if step == STEPS // 2 and number % 2 == 0:
            await life.time_passes(life.chance.choice((2, 3, 5)), rooms)
        if step % 8 == 5:
            room, agency = life.chance.choice(life.rooms), life.chance.choice(EVERYONE)
            await watch.room(agency, room)
    await watch.look()
    for agency in EVERYONE:
        last[agency] = await watch.heard(agency, last[agency])
    for curious in life.chance.sample(EVERYONE, 2):
        await watch.evidence(curious, home)
        await watch.search(curious)
    return watch


async def delivered(home: Lifehouse, watch: LifeWatch, agency: str) -> None:
    """By webhook: everything that the mailbox holds, with no word that was not allowed at some time."""
    entries = await home.mailbox(agency, home.ears[agency].since)
    calls = await home.all_delivered(agency, len(entries))
    assert Counter({each["id"] for each in calls}) == Counter(e["event"]["id"] for e in entries)
    assert words_in(orjson.dumps(calls)) <= watch.ever(agency), agency
    listed = await home.by(agency).get("/v1/deliveries?limit=200")
    assert listed.status == 200, listed.text
    assert not words_in(listed.body)


async def everything(home: Lifehouse, rooms: list[Room]) -> dict[tuple[str, str], bytes]:
    """What stands, byte for byte."""
    paths = [
        "/v1/mailbox?limit=200",
        "/v1/commitments?limit=200",
        "/v1/threads?limit=200",
        "/v1/cases?limit=200",
    ]
    for room in rooms:
        thread = f"/v1/threads/{room.id}"
        paths += [thread, f"{thread}/messages?limit=200", f"{thread}/messages?order=newest&limit=3"]
    found = {}
    for agency in EVERYONE:
        for path in paths:
            reply = await home.by(agency).get(path)
            found[agency, path] = without_correlation(reply.status, reply.body)
    return found


def without_correlation(status: int, body: bytes) -> bytes:
    """A problem names its request."""
    document = orjson.loads(body)
    document.pop("correlation_id", None)
    return b"%d %s" % (status, orjson.dumps(document))
