"""Port: the rows of webhooks and deliveries. None is a projection of the log (`DECISIONS.md` 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.ports.webhooks import DeliveryState


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """An agency's webhook. Everything up to mailbox position `cursor` is delivered, passed over or has a
    row; `active` is False once the endpoint answered 410; times RFC 3339."""

    agency: str
    id: str
    url: str
    event_types: tuple[str, ...]
    schema_version: int | None
    sealed_secrets: bytes
    created_at: str
    cursor: int
    active: bool = True
    failures: int = 0
    paused_until: str | None = None
    cause: str | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a PUT says. `id` and `sealed_secrets` are taken only when there is no webhook yet."""

    agency: str
    id: str
    url: str
    event_types: tuple[str, ...]
    schema_version: int | None
    sealed_secrets: bytes
    created_at: str


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One mailbox position on its way, or at its end. `apart`: redelivered, outside its subject's order."""

    agency: str
    position: int
    id: str
    event_id: str
    subject: str
    type: str
    state: DeliveryState
    attempts: int
    http_status: int | None
    latency_ms: float | None
    cause: str | None
    next_attempt_at: str | None
    apart: bool
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one webhook has come, and the rows that this rests on: written together or not at all.
    `generation` is the webhook's as the deliverer last saw it."""

    agency: str
    webhook_id: str
    generation: int
    cursor: int
    active: bool
    failures: int
    paused_until: str | None
    cause: str | None
    rows: Sequence[DeliveryRow]


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where the dispatcher takes a webhook up, at a start or when it is new: its cursor, its pending rows by
    position, and the positions beyond the cursor that are finished already."""

    webhook: WebhookRow
    pending: list[DeliveryRow]
    settled: list[int]


class DeliveryStore(Protocol):
    """Writes are transactions of their own, made on the writer's thread. Those that change a webhook raise
    the registry's generation in the same transaction, so that every process takes them up."""

    def put_webhook(self, new: NewWebhook) -> tuple[WebhookRow, bool]:
        """Makes the webhook at the head of the agency's mailbox as it is in this transaction (True), or
        changes the one there is: cursor and secrets stay, a pause ends (False)."""
        ...

    def delete_webhook(self, agency: str) -> WebhookRow | None:
        """Removes it and its pending rows; gives it as it stood, None when there was none."""
        ...

    def put_secrets(self, agency: str, expected: bytes, sealed_secrets: bytes) -> WebhookRow | None:
        """Replaces the secrets if they are still those `expected`; None when they are not."""
        ...

    def redeliver(self, agency: str, delivery_id: str, now: str) -> DeliveryRow | None:
        """Makes a row due at `now`: a dead or done one starts anew (attempts 0), apart from its subject's
        order. None when there is no such row."""
        ...

    def ahead(self, agency: str, delivery_id: str) -> str | None:
        """The id of the pending delivery that this one waits behind: the first of the same subject, unless
        it is that one itself, finished, or apart from its subject's order."""
        ...

    def save(self, progress: Sequence[Progress]) -> None:
        """Writes rows and cursors in one transaction. A webhook that was deleted or made anew meanwhile is
        left alone, its rows too. One that was changed meanwhile (its generation differs) takes rows and
        cursor, but stays on or off, paused or not, as the change left it. A cursor never goes back."""
        ...

    def prune(self, before: str, limit: int) -> int:
        """Deletes at most `limit` done and dead rows last touched before `before`; how many."""
        ...

    def webhook(self, agency: str) -> WebhookRow | None: ...

    def webhooks(self) -> list[WebhookRow]: ...

    def resume_point(self, webhook: WebhookRow) -> ResumePoint: ...

    def asked_again(self, agency: str) -> list[DeliveryRow]:
        """Pending rows that a redelivery put apart or that have a time of their own, by position."""
        ...

    def behind(self) -> list[str]:
        """Agencies whose mailbox goes beyond their webhook's cursor: one query for all."""
        ...

    def deliveries(
        self, agency: str, states: Sequence[DeliveryState], before: int | None, limit: int
    ) -> list[DeliveryRow]:
        """Newest first, positions below `before`; of all states when `states` is empty."""
        ...
