"""Webhooks and deliveries as rows, for both engines: statements are built once from the tables and run on
the driver's connection with tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.ports.deliveries import DeliveryRow, NewWebhook, Progress, ResumePoint, WebhookRow
from hub.ports.webhooks import DeliveryState
from hub.store import deliveries_sql as sql
from hub.store.deliveries_sql import Prepared
from hub.store.dialect import Connection, Engine
from hub.store.generation import next_generation


class DeliveryTable:
    """Implements `hub.ports.deliveries.DeliveryStore`. Rows are locked in one order, so that no two processes
    wait for each other in a circle: the registry's generation, webhooks by agency, deliveries."""

    def __init__(self, store: Engine) -> None:
        self._store = store
        self._sql = sql.prepare_all(store.dialect.core)

    def put_webhook(self, new: NewWebhook) -> tuple[WebhookRow, bool]:
        with self._store.writing() as db:
            values = sql.webhook_values(new) | {"generation": next_generation(db)}
            made = self._execute(db, "change_webhook", values).rowcount == 0
            if made:
                head = self._execute(db, "mailbox_head", values).fetchone()
                self._execute(db, "insert_webhook", values | {"cursor": head[0] if head else 0})
            return self._webhook(db, new.agency), made

    def delete_webhook(self, agency: str) -> WebhookRow | None:
        with self._store.writing() as db:
            row = self._execute(db, "webhook", {"of_agency": agency}).fetchone()
            if row is None:
                return None
            next_generation(db)
            self._execute(db, "delete_webhook", {"of_agency": agency})
            self._execute(db, "delete_pending", {"of_agency": agency})
            return sql.webhook_row(row)

    def put_secrets(self, agency: str, expected: bytes, sealed_secrets: bytes) -> WebhookRow | None:
        values: dict[str, Any] = {"of_agency": agency, "expected": expected, "new_secrets": sealed_secrets}
        with self._store.writing() as db:
            values["new_generation"] = next_generation(db)
            changed = self._execute(db, "put_secrets", values).rowcount
            return self._webhook(db, agency) if changed else None

    def redeliver(self, agency: str, delivery_id: str, now: str) -> DeliveryRow | None:
        values: dict[str, Any] = {"of_agency": agency, "of_id": delivery_id, "now": now}
        with self._store.writing() as db:
            if self._execute(db, "delivery", values).fetchone() is None:
                return None
            values["new_generation"] = next_generation(db)
            self._execute(db, "touch_webhook", values)
            self._execute(db, "hasten", values)
            self._execute(db, "revive", values)
            return sql.delivery_row(self._execute(db, "delivery", values).fetchone())

    def save(self, progress: Sequence[Progress]) -> None:
        with self._store.writing() as db:
            rows: list[DeliveryRow] = []
            for one in sorted(progress, key=lambda one: one.agency):
                if self._execute(db, "save_progress", sql.progress_values(one)).rowcount:
                    rows += one.rows
            if rows:
                db.cursor().executemany(self._sql["save_row"].text, [sql.row_tuple(row) for row in rows])

    def prune(self, before: str, limit: int) -> int:
        with self._store.writing() as db:
            pruned: int = self._execute(db, "prune", {"before": before, "count": limit}).rowcount
            return pruned

    def webhook(self, agency: str) -> WebhookRow | None:
        with self._store.glancing() as db:
            row = self._execute(db, "webhook", {"of_agency": agency}).fetchone()
            return sql.webhook_row(row) if row else None

    def webhooks(self) -> list[WebhookRow]:
        with self._store.glancing() as db:
            return [sql.webhook_row(row) for row in self._execute(db, "webhooks", {})]

    def resume_point(self, webhook: WebhookRow) -> ResumePoint:
        values = {"of_agency": webhook.agency, "after": webhook.cursor}
        with self._store.connection() as db:
            pending = [sql.delivery_row(row) for row in self._execute(db, "pending", values)]
            return ResumePoint(webhook, pending, [row[0] for row in self._execute(db, "settled", values)])

    def asked_again(self, agency: str) -> list[DeliveryRow]:
        with self._store.glancing() as db:
            found = self._execute(db, "asked_again", {"of_agency": agency})
            return [sql.delivery_row(row) for row in found]

    def ahead(self, agency: str, delivery_id: str) -> str | None:
        with self._store.glancing() as db:
            row = self._execute(db, "ahead", {"of_agency": agency, "of_id": delivery_id}).fetchone()
            return row[0] if row else None

    def behind(self) -> list[str]:
        with self._store.glancing() as db:
            return [row[0] for row in self._execute(db, "behind", {})]

    def deliveries(
        self, agency: str, states: Sequence[DeliveryState], before: int | None, limit: int
    ) -> list[DeliveryRow]:
        statement = sql.listing(states, before)
        values = {"of_agency": agency, "before": before, "count": limit}
        with self._store.glancing() as db:
            prepared = Prepared.of(statement, self._store.dialect.core)
            return [sql.delivery_row(r) for r in db.execute(prepared.text, prepared.values(values))]

    def _webhook(self, db: Connection, agency: str) -> WebhookRow:
        return sql.webhook_row(self._execute(db, "webhook", {"of_agency": agency}).fetchone())

    def _execute(self, db: Connection, name: str, values: dict[str, Any]) -> Any:
        prepared = self._sql[name]
        return db.execute(prepared.text, prepared.values(values))
