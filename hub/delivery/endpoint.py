"""One agency's webhook at work: its lanes, its health, what it wants to hear of."""

from __future__ import annotations

from yarl import URL

from hub.delivery.answers import Answer
from hub.delivery.health import Health, Permit
from hub.delivery.lanes import Lanes, Parcel
from hub.delivery.settings import DeliverySettings
from hub.delivery.signing import Secrets, Signer
from hub.delivery.steady import Steady
from hub.ports.deliveries import DeliveryRow, ResumePoint, WebhookRow
from hub.ports.webhooks import DeliveryState

ALL_TYPES = "*"


class Endpoint:
    """Lives on the event loop. `behind`: the mailbox may hold more than was read. `armed`: when the
    dispatcher looks at it again by itself."""

    def __init__(
        self,
        resume_point: ResumePoint,
        secrets: Secrets,
        settings: DeliverySettings,
        steady: Steady | None = None,
    ) -> None:
        self.steady = steady or Steady()
        self.agency = resume_point.webhook.agency
        self.lanes = Lanes(resume_point.webhook.cursor)
        self.lanes.restore(
            (parcel_of(row, self.steady) for row in resume_point.pending), resume_point.settled
        )
        self.behind = True
        self.reading = False
        self.closed = False
        self.queued = False
        self.armed: float | None = None
        self._settings = settings
        self.health = Health(settings)
        self.configure(resume_point.webhook, secrets)
        if resume_point.webhook.paused_until or not resume_point.webhook.active:
            self._restore_health(resume_point.webhook)
        if self.health.paused_until is not None:
            self.lanes.mark_down()

    def configure(self, webhook: WebhookRow, secrets: Secrets) -> None:
        """Takes over what the row says. A row without a pause ends one: that is what a PUT does."""
        self.webhook = webhook
        self.url = URL(webhook.url)
        self.signer = Signer(secrets)
        self.types = None if ALL_TYPES in webhook.event_types else frozenset(webhook.event_types)
        if webhook.active and webhook.paused_until is None:
            self.health = Health(self._settings)

    def _restore_health(self, webhook: WebhookRow) -> None:
        self.health.failures, self.health.cause = webhook.failures, webhook.cause
        self.health.paused_until = self.steady.due(webhook.paused_until) if webhook.paused_until else None
        self.health.off = not webhook.active

    def next(self, now: float) -> Parcel | None:
        """The next parcel to send, None if none may go now."""
        permit = self.health.permit(now)
        if self.closed or permit is Permit.NONE or self.lanes.busy >= self._settings.in_flight_per_agency:
            return None
        if permit is Permit.ALL:
            return self.lanes.take(now)
        parcel = self.lanes.take_probe(now)
        if parcel is not None:
            parcel.probe = self.health.probing = True
        return parcel

    def next_due(self) -> float | None:
        """When a waiting parcel, or the probe, may go."""
        if self.health.off or self.closed:
            return None
        if self.health.paused_until is None:
            return self.lanes.next_due()
        return None if self.health.probing or self.lanes.is_empty() else self.health.paused_until

    def wants_page(self) -> bool:
        """Whether the mailbox is to be read further now. While the endpoint is down all stays there, but for
        what a probe needs."""
        limits, lanes = self._settings, self.lanes
        return (
            self.behind
            and not (self.reading or self.closed or self.health.off)
            and (self.health.paused_until is None or lanes.is_empty())
            and lanes.in_memory <= limits.window // 2
            and lanes.in_rows < limits.pending_rows
            and lanes.read_to - lanes.cursor < limits.span
        )

    def row(
        self, parcel: Parcel, state: DeliveryState, answer: Answer | None, due: float | None, now: str
    ) -> DeliveryRow:
        """The parcel as a row; it must have a `row_id`. `answer` is of its last attempt, None before one."""
        return DeliveryRow(
            agency=self.agency,
            position=parcel.position,
            id=parcel.row_id or "",
            event_id=parcel.event_id,
            subject=parcel.subject,
            type=parcel.type,
            state=state,
            attempts=parcel.attempts,
            http_status=answer.status if answer else None,
            latency_ms=round(answer.latency_s * 1000, 2) if answer else None,
            cause=answer.cause if answer else None,
            next_attempt_at=self.steady.moment(due),
            apart=parcel.apart,
            created_at=parcel.created_at or now,
            updated_at=now,
        )


def parcel_of(row: DeliveryRow, steady: Steady) -> Parcel:
    """A pending row as a parcel; its body is read again before it is sent."""
    due = steady.due(row.next_attempt_at, row.updated_at) if row.next_attempt_at else 0.0
    return Parcel(
        position=row.position,
        event_id=row.event_id,
        subject=row.subject,
        type=row.type,
        row_id=row.id,
        created_at=row.created_at,
        attempts=row.attempts,
        due=due,
        apart=row.apart,
    )
