"""Every word and every identity that was put in, looked for byte by byte in the whole data folder and in the
database's own files: there before, gone after."""

from __future__ import annotations

import pytest

from hub.app_erasures import purge
from hub.errors import StoreUnavailable
from hub.store.destroying import PURGE_DONE, PURGE_SINCE, PURGE_WAITS
from tests.erasure.erasurework import IDENTITY, MASKED, PHOTO, SEALED, ErasureWorld


def wrapped_keys(world: ErasureWorld, *streams: str) -> list[bytes]:
    return [key.wrapped for key in world.read(lambda s: s.keys(streams)).values()]


def holds(world: ErasureWorld, needles: list[bytes]) -> int:
    data = [path.read_bytes() for path in world.files()]
    return sum(any(needle in each for each in data) for needle in needles)


def test_words_keys_and_files_are_gone(world: ErasureWorld) -> None:
    photo = world.uploaded()
    case_id = world.told(attachments=[photo])
    name = world.room(case_id)
    keys = wrapped_keys(world, case_id, f"thread/{name}")
    assert (world.found(MASKED), world.found((*IDENTITY, *SEALED))) == (set(MASKED), set())
    assert (len(keys), holds(world, keys)) == (2, 2)
    attachments = world.folder / "attachments"
    assert len([path for path in attachments.rglob("*") if path.is_file()]) == 1
    world.erase(case_id)
    assert world.count("facts", "name", PURGE_WAITS) == 1
    assert purge(world.core) == []
    assert world.count("facts", "name", PURGE_WAITS) == 0
    assert (world.found((*MASKED, *SEALED)), world.found(IDENTITY), holds(world, keys)) == (set(), set(), 0)
    assert [path for path in attachments.rglob("*") if path.is_file()] == []
    assert world.difference() is None


def test_another_case_keeps_its_words(world: ErasureWorld) -> None:
    gone = world.told("A")
    world.submitted("B", title="Lampu taman kota mati", description="Sejak Senin petang.")
    world.erase(gone)
    purge(world.core)
    assert world.found((*MASKED, "Lampu taman kota mati")) == {"Lampu taman kota mati"}
    assert world.difference() is None


def test_among_many_cases_that_changed_often(world: ErasureWorld) -> None:
    """Rows that grew, moved and split pages leave copies of themselves behind."""
    gone = [world.told(f"P-{number}", attachments=[]) for number in range(12)]
    for number in range(30):
        world.submitted(f"L-{number}", title="Lampu taman kota mati", description="Gelap. " * 200)
    for case_id in gone:
        world.erase(case_id)
    purge(world.core)
    assert world.found(MASKED) == set()


def test_nothing_to_purge_costs_nothing(world: ErasureWorld) -> None:
    assert world.core.store.purge() is None


def test_who_still_reads_puts_it_off(world: ErasureWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.postgres.purging.READERS_WAIT_S", 0.2)
    monkeypatch.setattr("hub.store.sqlite.store.PURGE_BUSY_MS", 200)
    case_id = world.told()
    with world.core.store.connection() as reader:
        reader.execute("SELECT count(*) FROM cases").fetchone()
        world.erase(case_id)
        with pytest.raises(StoreUnavailable):
            purge(world.core)
        assert world.count("facts", "name", PURGE_WAITS) == 1
    assert purge(world.core) == []
    assert world.found(MASKED) == set()


def test_an_erasure_meanwhile_is_not_forgotten(world: ErasureWorld) -> None:
    """The purge takes back the note that it read before it began, and no later one."""
    one, two = world.told("A"), world.told("B")
    world.erase(one)
    with world.core.store.connection() as connection:
        noted = connection.execute(PURGE_SINCE, (PURGE_WAITS,)).fetchone()[0]
    world.erase(two)
    with world.core.store.writing() as connection:
        connection.execute(PURGE_DONE, (PURGE_WAITS, noted))
    assert world.count("facts", "name", PURGE_WAITS) == 1


def test_a_photo_is_never_open_on_the_disk(world: ErasureWorld) -> None:
    world.uploaded()
    assert holds(world, [PHOTO[8:40]]) == 0
