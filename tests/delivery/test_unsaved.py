"""What waits to be saved: a row that the database refuses holds up nobody else's, and a cursor never passes
a row that is still to be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.delivery.endpoint import Endpoint
from hub.delivery.saving import Saving
from hub.delivery.signing import Secrets, new_secret
from hub.delivery.unsaved import Unsaved
from hub.errors import StoreUnavailable
from hub.ports.deliveries import DeliveryRow, NewWebhook, Progress, ResumePoint
from tests.delivery.delivery_world import AGENCIES, DeliveryWorld

KOTIM, PUPR = AGENCIES
NOW = "2026-03-02T01:00:00.000Z"
UNWRITABLE = "\ud800"  # half a character: no database takes it


def endpoint(world: DeliveryWorld, agency: str) -> Endpoint:
    made, _ = world.table.put_webhook(
        NewWebhook(agency, f"w-{agency}", "https://layanan.example.go.id/", ("*",), None, b"x", NOW)
    )
    return Endpoint(ResumePoint(made, [], []), Secrets(new_secret()), world.settings)


def unsaved_of(world: DeliveryWorld, dropped: Callable[[], None] = lambda: None) -> Unsaved:
    return Unsaved(Saving(world.table, world.hub.writer, dropped), 0.01, 256)


def row(agency: str, position: int, **changes: Any) -> DeliveryRow:
    made = DeliveryRow(
        agency=agency,
        position=position,
        id=f"{agency}-{position}",
        event_id=f"e{position}",
        subject="kasus-1",
        type="id.simpul.complaint.submitted.v1",
        state="pending",
        attempts=1,
        http_status=None,
        latency_ms=None,
        cause=None,
        next_attempt_at=None,
        apart=False,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **changes)


def settled(unsaved: Unsaved, endpoint_: Endpoint, rows: list[DeliveryRow]) -> None:
    for each in rows:
        unsaved.put(endpoint_, each)
        endpoint_.lanes.pass_over(each.position)


@pytest.mark.parametrize("culprits", [{3}, {0}, {9}, {2, 7}, {4, 5}, set(range(10))])
async def test_a_refused_row_is_dropped_alone(world: DeliveryWorld, culprits: set[int]) -> None:
    refused: list[int] = []
    unsaved = unsaved_of(world, lambda: refused.append(1))
    kotim, pupr = endpoint(world, KOTIM), endpoint(world, PUPR)
    first = kotim.lanes.cursor + 1
    rows = [row(KOTIM, first + i, **({"subject": UNWRITABLE} if i in culprits else {})) for i in range(10)]
    settled(unsaved, kotim, rows)
    settled(unsaved, pupr, [row(PUPR, pupr.lanes.cursor + 1)])
    assert await unsaved.save()
    saved = {r["position"] for r in await world.rows(agency=KOTIM)}
    assert saved == {first + i for i in range(10)} - {first + i for i in culprits}
    assert len(await world.rows(agency=PUPR)) == 1
    assert world.table.webhook(KOTIM).cursor == first + 9  # type: ignore[union-attr]
    assert (len(refused), unsaved.count) == (len(culprits), 0)


async def test_a_refused_webhook_holds_up_nobody(world: DeliveryWorld) -> None:
    unsaved = unsaved_of(world)
    kotim, pupr = endpoint(world, KOTIM), endpoint(world, PUPR)
    kotim.health.cause = UNWRITABLE
    settled(unsaved, kotim, [row(KOTIM, kotim.lanes.cursor + 1)])
    settled(unsaved, pupr, [row(PUPR, pupr.lanes.cursor + 1)])
    assert await unsaved.save()
    assert len(await world.rows(agency=PUPR)) == 1


async def test_the_cursor_waits_for_every_row_of_a_halved_save(world: DeliveryWorld) -> None:
    """The database goes away in the middle of the halving: what is saved then loses nothing."""
    unsaved = unsaved_of(world)
    kotim = endpoint(world, KOTIM)
    before = kotim.lanes.cursor
    rows = [row(KOTIM, before + 1 + i) for i in range(8)]
    rows[7] = replace(rows[7], subject=UNWRITABLE)
    settled(unsaved, kotim, rows)
    save, saves = world.table.save, 0

    def failing(progress: list[Progress]) -> None:
        nonlocal saves
        saves += 1
        if saves == 3:
            raise StoreUnavailable("the disk is full")
        save(progress)

    world.table.save = failing  # type: ignore[method-assign,assignment]  # the real one, but for one moment
    assert not await unsaved.save()
    assert world.table.webhook(KOTIM).cursor == before  # type: ignore[union-attr]
    assert await unsaved.save()
    assert world.table.webhook(KOTIM).cursor == before + 8  # type: ignore[union-attr]
    assert len(await world.rows()) == 7


async def test_a_database_that_is_away_loses_nothing(world: DeliveryWorld) -> None:
    unsaved = unsaved_of(world)
    kotim = endpoint(world, KOTIM)
    settled(unsaved, kotim, [row(KOTIM, kotim.lanes.cursor + 1)])
    path = world.store.path
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("ALTER TABLE deliveries RENAME TO gone")
    assert not await unsaved.save()
    assert unsaved.count == 1
    other.execute("ALTER TABLE gone RENAME TO deliveries")
    other.close()
    assert await unsaved.save()
    assert len(await world.rows()) == 1
