"""Several processes make signing keys at once: none erases another's, and an empty hub gets one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.app_access import access, secret_box
from hub.app_core import Core, open_core
from hub.ports.registry import SigningKeyRow
from hub.service.access import Access
from hub.settings import Settings, make_data_folder
from hub.store.registry import RegistryTables
from hub.vault.master_key import MasterKeyFile
from tests.service.hubworld import TurnedClock
from tests.store.storework import Backend, PostgresBackend


@pytest.fixture
def processes(backend: Backend, tmp_path: Path) -> Iterator[list[tuple[Core, Access]]]:
    """Two hubs over one database and data folder, as two processes are."""
    url = backend.url if isinstance(backend, PostgresBackend) else None
    settings, clock = Settings(data_dir=tmp_path / "data", database_url=url), TurnedClock()
    make_data_folder(settings)
    MasterKeyFile(settings.key_path).ensure(clock.now())
    with ExitStack() as stack:
        cores = [stack.enter_context(open_core(settings, clock, migrates=True)) for _ in range(2)]
        yield [(core, access(core, secret_box(core))) for core in cores]


def kids(core: Core) -> list[str]:
    return [key.kid for key in core.rows.changes_since(0).signing_keys]


def at_once(*runs: Callable[[], Any]) -> list[Any]:
    """Each on a thread of its own."""
    results: list[Any] = [None] * len(runs)
    barrier = threading.Barrier(len(runs))

    def one(place: int) -> None:
        barrier.wait()
        results[place] = runs[place]()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def meanwhile(monkeypatch: pytest.MonkeyPatch, rows: RegistryTables, happen: Callable[[], object]) -> None:
    """Something happens, once, between the reading of the keys and their writing."""
    put, left = rows.put_signing_keys, [happen]

    def late(*given: Any) -> bool:
        if left:
            left.pop()()
        return put(*given)

    monkeypatch.setattr(rows, "put_signing_keys", late)


def test_who_rotates_beside_another_keeps_the_others_key(
    processes: list[tuple[Core, Access]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here, mine), (_, theirs) = processes
    mine.ensure_signing_key()
    other: list[str] = []
    meanwhile(monkeypatch, here.rows, lambda: other.append(theirs.rotate().kid))
    new = mine.rotate()
    assert {new.kid, *other} < set(kids(here))
    assert len(kids(here)) == 3
    assert {key["kid"] for key in mine.jwks()["keys"]} == set(kids(here))


def test_of_many_that_rotate_at_once_no_key_is_lost(processes: list[tuple[Core, Access]]) -> None:
    processes[0][1].ensure_signing_key()
    made = at_once(*(gate.rotate for _, gate in processes * 3))
    assert len({key.kid for key in made}) == 6
    assert {key.kid for key in made} < set(kids(processes[0][0]))


def test_two_processes_that_start_on_an_empty_hub_make_one_key(
    processes: list[tuple[Core, Access]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here, mine), (_, theirs) = processes
    meanwhile(monkeypatch, here.rows, theirs.ensure_signing_key)
    mine.ensure_signing_key()
    assert len(kids(here)) == 1
    mine.probe_token()


def test_keys_that_changed_meanwhile_are_not_written_over(backend: Backend) -> None:
    store = backend.open()
    rows, when = backend.registry(store), "2025-03-14T02:00:00.000Z"  # type: ignore[arg-type]
    first, second = (SigningKeyRow(kid, "ES256", b"s", "{}", when, when, when) for kid in ("k1", "k2"))
    assert rows.put_signing_keys([first], [])
    generation = store.registry_generation()
    assert not rows.put_signing_keys([second], [])
    assert rows.changes_since(0).signing_keys == [first]
    assert backend.open().registry_generation() == generation, "nothing changed"
    assert rows.put_signing_keys([first, second], [first])
    assert rows.changes_since(0).signing_keys == [first, second]
