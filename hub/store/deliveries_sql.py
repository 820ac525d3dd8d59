"""The statements of `hub/store/deliveries.py`, in SQLAlchemy Core, and how rows become tuples and back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import (
    BigInteger,
    Delete,
    Dialect,
    Insert,
    Integer,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    case,
    delete,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from hub.ports.deliveries import DeliveryRow, NewWebhook, Progress, WebhookRow
from hub.ports.webhooks import DeliveryState
from hub.store.tables import deliveries, mailboxes, webhooks

Statement = Select[Any] | Insert | Update | Delete

_DELIVERY_COLUMNS: Final = [deliveries.c[name] for name in DeliveryRow.__dataclass_fields__]
_WEBHOOK_COLUMNS: Final = [webhooks.c[name] for name in WebhookRow.__dataclass_fields__]
_KEY: Final = ("agency", "position")
_OPEN: Final = deliveries.c.state != literal_column("'done'")
_PENDING: Final = deliveries.c.state == literal_column("'pending'")
_FINISHED: Final = deliveries.c.state != literal_column("'pending'")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as the driver takes it, with the order of its parameters."""

    text: str
    names: tuple[str, ...]
    fixed: dict[str, Any]

    @classmethod
    def of(cls, statement: Statement, dialect: Dialect) -> Prepared:
        compiled = statement.compile(dialect=dialect)
        names = tuple(compiled.positiontup or ())
        return cls(str(compiled), names, dict(compiled.params))

    def values(self, given: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(given[name] if name in given else self.fixed[name] for name in self.names)


@lru_cache(8)
def prepare_all(dialect: Dialect) -> dict[str, Prepared]:
    """Compiled once for a dialect: 20 ms."""
    prepared = {name: Prepared.of(statement, dialect) for name, statement in _statements().items()}
    return prepared | {"save_row": _save_row(dialect)}


def _statements() -> dict[str, Statement]:
    of_agency = bindparam("of_agency", type_=Text)
    hook, row = webhooks.c, deliveries.c
    mine, of_id = row.agency == of_agency, row.id == bindparam("of_id", type_=Text)
    named: dict[str, Any] = {
        name: bindparam(name, type_=hook[name].type) for name in ("url", "event_types", "schema_version")
    }
    now = {"next_attempt_at": bindparam("now", type_=Text), "updated_at": bindparam("now", type_=Text)}
    anew = {"state": "pending", "attempts": 0, "apart": True, "cause": None}
    hook_is_mine = hook.agency == of_agency
    raised = {"generation": bindparam("new_generation", type_=BigInteger)}
    running = {"active": True, "failures": 0, "paused_until": None, "cause": None}
    doomed = select(row.id).where(_FINISHED, row.updated_at < bindparam("before", type_=Text))
    doomed = doomed.limit(bindparam("count", type_=Integer))
    return {
        "mailbox_head": select(mailboxes.c.head).where(mailboxes.c.agency == bindparam("agency", type_=Text)),
        "insert_webhook": insert(webhooks).values(
            {c.name: bindparam(c.name, type_=c.type) for c in webhooks.columns} | running
        ),
        "change_webhook": update(webhooks)
        .where(hook.agency == bindparam("agency", type_=Text))
        .values(named | running | {"generation": bindparam("generation", type_=BigInteger)}),
        "delete_webhook": delete(webhooks).where(hook_is_mine),
        "delete_pending": delete(deliveries).where(mine, _PENDING),
        "put_secrets": update(webhooks)
        .where(hook_is_mine, hook.sealed_secrets == bindparam("expected", type_=hook.sealed_secrets.type))
        .values(raised | {"sealed_secrets": bindparam("new_secrets", type_=hook.sealed_secrets.type)}),
        "touch_webhook": update(webhooks).where(hook_is_mine).values(raised),
        "revive": update(deliveries).where(mine, of_id, _FINISHED).values(now | anew),
        "hasten": update(deliveries).where(mine, of_id, _PENDING).values(now),
        "save_progress": update(webhooks)
        .where(hook_is_mine, hook.id == bindparam("of_id", type_=Text))
        .values(_progressed(running)),
        "prune": delete(deliveries).where(row.id.in_(doomed)),
        "webhook": select(*_WEBHOOK_COLUMNS).where(hook_is_mine),
        "webhooks": select(*_WEBHOOK_COLUMNS).order_by(hook.agency),
        "delivery": select(*_DELIVERY_COLUMNS).where(mine, of_id),
        "ahead": _ahead(of_agency),
        "pending": select(*_DELIVERY_COLUMNS).where(mine, _OPEN, _PENDING).order_by(row.position),
        "settled": select(row.position).where(
            mine, row.position > bindparam("after", type_=BigInteger), _FINISHED
        ),
        "asked_again": select(*_DELIVERY_COLUMNS)
        .where(mine, _OPEN, _PENDING, or_(row.apart, row.next_attempt_at.is_not(None)))
        .order_by(row.position),
        "behind": select(hook.agency).join(
            mailboxes, and_(mailboxes.c.agency == hook.agency, mailboxes.c.head > hook.cursor)
        ),
    }


def _progressed(standing: Collection[str]) -> dict[str, Any]:
    """The cursor never goes back; how the webhook stands is kept as a change left it that the deliverer had
    not seen."""
    hook, new = (
        webhooks.c,
        {n: bindparam(f"new_{n}", type_=webhooks.c[n].type) for n in ("cursor", *standing)},
    )
    seen = hook.generation == bindparam("seen_generation", type_=BigInteger)
    values: dict[str, Any] = {name: case((seen, new[name]), else_=hook[name]) for name in standing}
    return values | {"cursor": case((hook.cursor < new["cursor"], new["cursor"]), else_=hook.cursor)}


def listing(states: Sequence[DeliveryState], before: int | None) -> Select[Any]:
    """Newest first. Without `done` the partial index over open rows answers."""
    row = deliveries.c
    found = select(*_DELIVERY_COLUMNS).where(row.agency == bindparam("of_agency", type_=Text))
    if states and "done" not in states:
        found = found.where(_OPEN)
    if states and len(set(states)) < 3:
        found = found.where(or_(*(row.state == state for state in sorted(set(states)))))
    if before is not None:
        found = found.where(row.position < bindparam("before", type_=BigInteger))
    return found.order_by(row.position.desc()).limit(bindparam("count", type_=Integer))


def _save_row(dialect: Dialect) -> Prepared:
    """INSERT a row, or UPDATE the one at its position; parameters in the order of `row_tuple`."""
    names = list(DeliveryRow.__dataclass_fields__)
    inserted = Prepared.of(insert(deliveries).values({n: bindparam(n) for n in names}), dialect)
    changed = [n for n in names if n not in (*_KEY, "id", "event_id", "subject", "type", "created_at")]
    conflict = ", ".join(f"{name} = excluded.{name}" for name in changed)
    text = f"{inserted.text} ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET {conflict}"
    if inserted.names != tuple(names):
        raise AssertionError("the columns of deliveries and the fields of DeliveryRow differ in their order")
    return Prepared(text, inserted.names, {})


def row_tuple(row: DeliveryRow) -> tuple[Any, ...]:
    return (
        row.agency,
        row.position,
        row.id,
        row.event_id,
        row.subject,
        row.type,
        row.state,
        row.attempts,
        row.http_status,
        row.latency_ms,
        row.cause,
        row.next_attempt_at,
        row.apart,
        row.created_at,
        row.updated_at,
    )


def webhook_values(new: NewWebhook) -> dict[str, Any]:
    return {
        "agency": new.agency,
        "id": new.id,
        "url": new.url,
        "event_types": orjson.dumps(new.event_types).decode(),
        "schema_version": new.schema_version,
        "sealed_secrets": new.sealed_secrets,
        "created_at": new.created_at,
    }


def progress_values(progress: Progress) -> dict[str, Any]:
    return {
        "of_agency": progress.agency,
        "of_id": progress.webhook_id,
        "seen_generation": progress.generation,
        "new_cursor": progress.cursor,
        "new_active": progress.active,
        "new_failures": progress.failures,
        "new_paused_until": progress.paused_until,
        "new_cause": progress.cause,
    }


def webhook_row(row: tuple[Any, ...]) -> WebhookRow:
    values = dict(zip(WebhookRow.__dataclass_fields__, row, strict=True))
    values["event_types"] = tuple(orjson.loads(values["event_types"]))
    values["active"] = bool(values["active"])
    return WebhookRow(**values)


def delivery_row(row: tuple[Any, ...]) -> DeliveryRow:
    values = dict(zip(DeliveryRow.__dataclass_fields__, row, strict=True))
    values["apart"] = bool(values["apart"])
    return DeliveryRow(**values)


def _ahead(of_agency: Any) -> Statement:
    """Of the subject of the named row, if that waits in its order, the first that is pending before it."""
    first, named = deliveries.alias("first"), deliveries.alias("named")
    pending: Any = literal_column("'pending'")
    return (
        select(first.c.id)
        .join(named, (named.c.agency == first.c.agency) & (named.c.subject == first.c.subject))
        .where(named.c.agency == of_agency, named.c.id == bindparam("of_id", type_=Text))
        .where(named.c.state == pending, ~named.c.apart)
        .where(first.c.state == pending, ~first.c.apart, first.c.position < named.c.position)
        .order_by(first.c.position)
        .limit(1)
    )
