"""The rows of webhooks and deliveries, on each engine that the statements are made for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.dialects import postgresql, sqlite

from hub.ports.deliveries import DeliveryRow, NewWebhook, Progress, WebhookRow
from hub.store.deliveries import DeliveryTable
from hub.store.sqlite.connections import Connection
from hub.store.tables import deliveries, facts, mailboxes, metadata, webhooks
from tests.parts.postgres import drop_database, make_database

AGENCY = "pemkab-kotim"
TABLES = [webhooks, deliveries, facts, mailboxes]
NOW = "2026-03-02T01:00:00.000Z"


class Source:
    """What `hub.store.dialect.Engine` gives, on one connection, in the driver's own SQL."""

    def __init__(self, connection: Any, core: Any) -> None:
        self._connection = connection
        self.dialect: Any = SimpleNamespace(core=core)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        try:
            yield self._connection
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    connection = glancing = writing


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    url = make_database()
    yield url
    drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DeliveryTable]:
    if request.param == "sqlite":
        url, core = f"sqlite:///{tmp_path / 'rows.db'}", sqlite.dialect(paramstyle="qmark")
    else:
        address = request.getfixturevalue("postgres")
        url = address.replace("postgresql://", "postgresql+psycopg://")
        core = postgresql.dialect(paramstyle="format")
    engine = create_engine(url)
    metadata.drop_all(engine, TABLES)
    metadata.create_all(engine, TABLES)
    with engine.begin() as db:
        db.execute(text("INSERT INTO facts VALUES ('registry_generation', '7')"))
        db.execute(text(f"INSERT INTO mailboxes VALUES ('{AGENCY}', 12)"))
    engine.dispose()
    connection: Any
    if request.param == "sqlite":
        connection = sqlite3.connect(tmp_path / "rows.db", factory=Connection)
    else:
        connection = psycopg.connect(request.getfixturevalue("postgres"))
    yield DeliveryTable(Source(connection, core))
    connection.close()


def webhook(url: str = "https://layanan.example.go.id/simpul", id_: str = "w1") -> NewWebhook:
    return NewWebhook(AGENCY, id_, url, ("*",), None, b"rahasia-" + id_.encode(), NOW)


def row(position: int, state: Any = "pending", **changes: Any) -> DeliveryRow:
    values: dict[str, Any] = {
        "agency": AGENCY,
        "position": position,
        "id": f"d{position}",
        "event_id": f"e{position}",
        "subject": "kasus-1",
        "type": "id.simpul.complaint.submitted.v1",
        "state": state,
        "attempts": 1,
        "http_status": None,
        "latency_ms": None,
        "cause": None,
        "next_attempt_at": None,
        "apart": False,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return DeliveryRow(**(values | changes))


def progress(made: WebhookRow, cursor: int, *rows: DeliveryRow) -> Progress:
    return Progress(AGENCY, made.id, made.generation, cursor, True, 0, None, None, rows)


def test_a_webhook_begins_at_the_head_and_keeps_its_place(table: DeliveryTable) -> None:
    made, new = table.put_webhook(webhook())
    assert (new, made.cursor, made.generation, made.active) == (True, 12, 8, True)
    table.save([progress(made, 15)])
    table.save(
        [Progress(AGENCY, made.id, made.generation, 15, False, 4, NOW, "the endpoint answered 410", ())]
    )
    changed, new = table.put_webhook(webhook("https://layanan.example.go.id/baru", "w2"))
    assert (new, changed.id, changed.cursor, changed.sealed_secrets) == (False, "w1", 15, made.sealed_secrets)
    assert (changed.active, changed.failures, changed.paused_until, changed.cause) == (True, 0, None, None)
    assert changed.url.endswith("/baru") and changed.generation == 9
    assert table.webhooks() == [changed]


def test_rows_are_inserted_then_updated_and_keep_their_ids(table: DeliveryTable) -> None:
    made, _ = table.put_webhook(webhook())
    table.save([progress(made, 13, row(13), row(14, "done", latency_ms=2.5, http_status=204))])
    table.save(
        [progress(made, 14, row(13, "dead", id="other", cause="the endpoint answered 400", attempts=10))]
    )
    resume_point = table.resume_point(made)
    assert resume_point.pending == [] and resume_point.settled == [13, 14]
    newest, oldest = table.deliveries(AGENCY, (), None, 10)
    assert (newest.latency_ms, newest.http_status) == (2.5, 204)
    assert (oldest.id, oldest.state, oldest.attempts) == ("d13", "dead", 10)
    assert [r.position for r in table.deliveries(AGENCY, ("dead", "pending"), None, 10)] == [13]
    assert [r.position for r in table.deliveries(AGENCY, ("done",), None, 10)] == [14]
    assert [r.position for r in table.deliveries(AGENCY, (), 14, 10)] == [13]


def test_a_webhook_that_was_made_anew_is_left_alone(table: DeliveryTable) -> None:
    old, _ = table.put_webhook(webhook())
    table.save([progress(old, 13, row(13), row(14, "done"))])
    assert table.delete_webhook(AGENCY) is not None
    assert table.webhook(AGENCY) is None
    assert [r.state for r in table.deliveries(AGENCY, (), None, 10)] == ["done"]
    made, _ = table.put_webhook(webhook(id_="w2"))
    table.save([progress(old, 99, row(15))])
    assert table.webhook(AGENCY) == made
    assert table.resume_point(made).pending == []
    assert table.delete_webhook("kemen-pu") is None


def test_what_is_saved_late_undoes_nothing_that_was_put_meanwhile(table: DeliveryTable) -> None:
    made, _ = table.put_webhook(webhook())
    table.save([progress(made, 13, row(13))])
    changed, _ = table.put_webhook(webhook("https://layanan.example.go.id/baru"))
    stale = Progress(
        AGENCY, made.id, made.generation, 14, False, 4, NOW, "the endpoint answered 410", (row(14),)
    )
    table.save([stale])
    after = table.webhook(AGENCY)
    assert after is not None
    assert (after.url, after.active, after.failures, after.paused_until, after.cause) == (
        changed.url,
        True,
        0,
        None,
        None,
    )
    assert (after.cursor, after.generation) == (14, changed.generation)
    assert [r.position for r in table.deliveries(AGENCY, (), None, 10)] == [14, 13]
    table.save([progress(changed, 13)])
    assert table.webhook(AGENCY).cursor == 14  # type: ignore[union-attr]  # never back


def test_redelivery(table: DeliveryTable) -> None:
    made, _ = table.put_webhook(webhook())
    waiting = row(14, attempts=3, next_attempt_at="2026-03-03T01:00:00.000Z")
    table.save([progress(made, 15, row(13, "dead", attempts=10, cause="x"), waiting, row(15))])
    later = "2026-03-02T05:00:00.000Z"
    again = table.redeliver(AGENCY, "d13", later)
    assert again is not None
    assert (again.state, again.attempts, again.apart, again.next_attempt_at) == ("pending", 0, True, later)
    hurried = table.redeliver(AGENCY, "d14", later)
    assert hurried is not None
    assert (hurried.state, hurried.attempts, hurried.apart, hurried.next_attempt_at) == (
        "pending",
        3,
        False,
        later,
    )
    assert table.redeliver("kemen-pu", "d13", later) is None
    assert [r.position for r in table.asked_again(AGENCY)] == [13, 14]
    assert table.webhook(AGENCY).generation == made.generation + 2  # type: ignore[union-attr]


def test_what_a_delivery_waits_behind(table: DeliveryTable) -> None:
    """The order of a subject is kept: who waits in it cannot be hastened past who stands before it."""
    made, _ = table.put_webhook(webhook())
    later = "2026-03-03T01:00:00.000Z"
    rows = [row(13, "dead"), row(14, next_attempt_at=later), row(15), row(16)]
    table.save([progress(made, 16, *(replace(one, subject="case-1") for one in rows), row(17))])
    assert [table.ahead(AGENCY, f"d{n}") for n in (13, 14, 15, 16)] == [None, None, "d14", "d14"]
    assert table.ahead(AGENCY, "d17") is None and table.ahead("kemen-pu", "d15") is None
    table.redeliver(AGENCY, "d13", later)  # apart from the order: nobody waits behind it
    assert [table.ahead(AGENCY, f"d{n}") for n in (13, 14, 15)] == [None, None, "d14"]


def test_secrets_are_replaced_only_where_they_are_as_expected(table: DeliveryTable) -> None:
    made, _ = table.put_webhook(webhook())
    assert table.put_secrets(AGENCY, b"lain", b"baru") is None
    changed = table.put_secrets(AGENCY, made.sealed_secrets, b"baru")
    assert changed is not None and changed.sealed_secrets == b"baru"
    assert changed.generation > made.generation


def test_who_is_behind_and_what_is_pruned(table: DeliveryTable) -> None:
    made, _ = table.put_webhook(webhook())
    assert table.behind() == []
    with table._store.writing() as db:
        db.execute("UPDATE mailboxes SET head = 13", ())
    table.save([progress(made, 12, row(9, "done"), row(10, "dead"), row(11))])
    assert table.behind() == [AGENCY]
    assert table.prune(NOW, 10) == 0
    assert table.prune("2026-03-02T02:00:00.000Z", 1) == 1
    assert table.prune("2026-03-02T02:00:00.000Z", 10) == 1
    assert [r.position for r in table.deliveries(AGENCY, (), None, 10)] == [11]
