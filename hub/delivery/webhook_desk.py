"""What an agency may do with its webhook: make, change, end it, rotate its secret, look at its deliveries and
ask for one again. Implements `hub.ports.webhooks.Webhooks`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict
from typing import Final

from hub.delivery.endpoint import ALL_TYPES
from hub.delivery.settings import DeliverySettings
from hub.delivery.signing import Secrets, new_secret
from hub.delivery.targets import Targets
from hub.domain.events import EVENT_TYPES, event_type
from hub.errors import Flaws, Invalid, NotFound, StateConflict
from hub.ports.clock import Clock, rfc3339
from hub.ports.deliveries import DeliveryRow, DeliveryStore, NewWebhook, WebhookRow
from hub.ports.revocations import WEBHOOK_DELETED, WEBHOOK_MOVED, RevocationJournal, RevocationLine
from hub.ports.secrets import SecretBox
from hub.ports.webhooks import Delivery, DeliveryState, Webhook
from hub.service.ids import Ids
from hub.service.readers import Readers
from hub.service.writer import Writer

KNOWN_TYPES: Final = frozenset(event_type(name) for name in EVENT_TYPES)
SCHEMA_VERSIONS: Final = (1,)
ROTATION_ATTEMPTS: Final = 3


class WebhookDesk:
    """`changed` (`DeliveryRole.wake`) is awaited after every change, so that the answer finds it in force."""

    def __init__(
        self,
        *,
        store: DeliveryStore,
        readers: Readers,
        writer: Writer,
        targets: Targets,
        secrets: SecretBox,
        ids: Ids,
        clock: Clock,
        settings: DeliverySettings,
        revocations: RevocationJournal,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store, self._readers, self._writer = store, readers, writer
        self._targets, self._secrets = targets, secrets
        self._ids, self._clock, self._settings = ids, clock, settings
        self._revocations, self._changed = revocations, changed

    async def put(
        self, agency: str, url: str, event_types: Sequence[str], schema_version: int | None
    ) -> Webhook:
        """See the port. One that is made starts at the end of the mailbox; one that is changed keeps its
        place in it, its secret and what is pending, and a pause ends."""
        _check_types(event_types, KNOWN_TYPES)
        if schema_version is not None and schema_version not in SCHEMA_VERSIONS:
            raise _invalid(
                "/schema_version", f"Version {schema_version} does not exist; use 1 or leave it out."
            )
        accepted = await self._targets.accept(url)
        secret = new_secret()
        new = NewWebhook(
            agency=agency,
            id=self._ids.new(),
            url=accepted,
            event_types=tuple(dict.fromkeys(event_types)),
            schema_version=schema_version,
            sealed_secrets=Secrets(secret).sealed(self._secrets, agency),
            created_at=rfc3339(self._clock.now()),
        )
        row, made = await self._writer.run(lambda: self._put(new))
        await self._changed()
        return _webhook(row) | ({"secret": secret} if made else {})

    def _put(self, new: NewWebhook) -> tuple[WebhookRow, bool]:
        """A former address is noted before, so that no restore sends anything there again."""
        known = self._store.webhook(new.agency)
        if known is not None and known.url != new.url:
            self._revocations.add([RevocationLine(WEBHOOK_MOVED, new.agency, new.created_at)])
        return self._store.put_webhook(new)

    def _delete(self, agency: str) -> WebhookRow | None:
        if self._store.webhook(agency) is not None:
            now = rfc3339(self._clock.now())
            self._revocations.add([RevocationLine(WEBHOOK_DELETED, agency, now)])
        return self._store.delete_webhook(agency)

    async def get(self, agency: str) -> Webhook:
        return _webhook(await self._row(agency))

    async def delete(self, agency: str) -> Webhook:
        row = await self._writer.run(lambda: self._delete(agency))
        if row is None:
            raise _no_webhook()
        await self._changed()
        return _webhook(row) | {"active": False}

    async def rotate_secret(self, agency: str) -> Webhook:
        """See the port. The secret before the last one ends at once."""
        for _ in range(ROTATION_ATTEMPTS):
            row = await self._row(agency)
            now = self._clock.now()
            rotated = Secrets.opened(self._secrets, agency, row.sealed_secrets).rotated(
                now, self._settings.secret_overlap_s
            )
            changed = await self._replace(row, rotated)
            if changed is not None:
                await self._changed()
                return _webhook(changed) | {"secret": rotated.current}
        raise StateConflict("Somebody else is rotating this secret now; look which one is in use.")

    async def deliveries(
        self, agency: str, states: Sequence[DeliveryState], after: tuple[str, ...] | None, limit: int
    ) -> tuple[list[Delivery], tuple[str, ...] | None]:
        """See the port. Without a webhook it is what an earlier one left."""
        before = _position(after)
        rows = await self._readers.call(lambda: self._store.deliveries(agency, states, before, limit + 1))
        more = len(rows) > limit
        return [_delivery(row) for row in rows[:limit]], (str(rows[limit - 1].position),) if more else None

    async def redeliver(self, agency: str, delivery_id: str) -> Delivery:
        await self._row(agency)
        ahead = await self._readers.call(lambda: self._store.ahead(agency, delivery_id))
        if ahead is not None:
            raise StateConflict(
                "This event waits behind an earlier one of the same subject, so that their order is kept; it "
                "follows by itself. Ask for the redelivery of that one.",
                extra={"status": "pending", "possible": ["redelivery"], "ahead": ahead},
            )
        now = rfc3339(self._clock.now())
        row = await self._writer.run(lambda: self._store.redeliver(agency, delivery_id, now))
        if row is None:
            raise NotFound("There is no such delivery, or it is another agency's.")
        await self._changed()
        return _delivery(row)

    async def _row(self, agency: str) -> WebhookRow:
        row = await self._readers.call(lambda: self._store.webhook(agency))
        if row is None:
            raise _no_webhook()
        return row

    async def _replace(self, row: WebhookRow, secrets: Secrets) -> WebhookRow | None:
        sealed = secrets.sealed(self._secrets, row.agency)
        return await self._writer.run(lambda: self._store.put_secrets(row.agency, row.sealed_secrets, sealed))


def _check_types(event_types: Sequence[str], known: Collection[str]) -> None:
    if not event_types:
        raise _invalid("/event_types", 'Name at least one event type, or ["*"] for all.')
    flaws: list[tuple[str, str]] = [
        (f"/event_types/{i}", f"{name!r} is no event type of this hub, such as id.simpul.forwarding.sent.v1.")
        for i, name in enumerate(event_types)
        if name != ALL_TYPES and name not in known
    ]
    if flaws:
        raise Invalid(flaws[0][1], flaws=flaws)


def _invalid(pointer: str, detail: str) -> Invalid:
    flaws: Flaws = [(pointer, detail)]
    return Invalid(detail, flaws=flaws)


def _no_webhook() -> NotFound:
    return NotFound("Your agency has no webhook. PUT /v1/webhook makes one.")


def _position(after: tuple[str, ...] | None) -> int | None:
    if after is None:
        return None
    if len(after) != 1 or not (after[0].isascii() and after[0].isdigit() and len(after[0]) < 19):
        detail = "This is no cursor of this list; use the `next` of the page before."
        raise Invalid(detail, parameters=[("cursor", detail)])
    return int(after[0])


def _webhook(row: WebhookRow) -> Webhook:
    return {
        "url": row.url,
        "event_types": list(row.event_types),
        "schema_version": row.schema_version,
        "active": row.active and row.paused_until is None,
        "paused_until": row.paused_until,
        "created_at": row.created_at,
    }


def _delivery(row: DeliveryRow) -> Delivery:
    shown = asdict(row)
    del shown["agency"], shown["apart"]
    return shown
