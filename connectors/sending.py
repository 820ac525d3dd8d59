"""Complaints from the spool to the hub: one by one, or as a batch when many wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import structlog

from connectors.adopting import with_known_time
from connectors.batch_line import BatchLine
from connectors.channel import Channel
from connectors.config import Hub
from connectors.entries import Entry
from connectors.erased import GONE
from connectors.errors import ConnectorError, HubAway, HubFailed, HubRefused, NotAllowed, NotNow
from connectors.hub_answers import bars_submitting, error_of
from connectors.mapping import without_photos
from connectors.outbox import Outbox
from connectors.pauses import AGAIN, FAILS_AT_ALL, FAILURES_IN_A_ROW, pause_s
from connectors.photos import PHOTO_LEFT, Unsent, why_unreadable
from connectors.remapping import Remapping
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
BATCH_BYTES = 4 * 1024 * 1024
CONFLICT = "complaint-conflict"


class Sender:
    """Sends what waits. A complaint that the hub refuses is listed, one at which it fails (500) waits by
    itself with growing pauses and is sent alone from then on; neither stands in anybody's way."""

    def __init__(
        self,
        hub: Channel,
        settings: Hub,
        spool: Spool,
        outbox: Outbox,
        agency: str,
        routed: bool,
        remapping: Remapping | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._hub, self._settings, self._spool, self._outbox = hub, settings, spool, outbox
        self._agency, self._routed, self._now_s = agency, routed, now_s
        self._remapping = remapping

    async def step(self) -> bool:
        """Sends up to one batch; True when more can be sent at once."""
        mapped_by = await self._remapping.sendable() if self._remapping else None
        waiting = self._outbox.waiting(self._settings.batch_limit, mapped_by)
        failing = self._outbox.failing(self._now_s(), AGAIN, mapped_by)
        if not (waiting or failing):
            return False
        mended = False
        try:
            await self._send_new(waiting)
            for entry in failing:
                mended = await self._try_one(entry) or mended
        finally:
            self._spool.forget_freed()
        again = mended and bool(self._outbox.failing(self._now_s(), 1, mapped_by))
        return again or bool(self._outbox.waiting(1, mapped_by))

    async def _send_new(self, waiting: Sequence[Entry]) -> None:
        plain = [entry for entry in waiting if not entry.photos]
        if len(plain) < self._settings.batch_from:
            await self._send_each(waiting[: self._settings.batch_from])
            return
        batch = _within_bytes(plain)
        try:
            await self._send_batch(batch)
        except HubFailed:  # one of them may be what it fails at: that one is found by sending each alone
            await self._send_each(batch[: self._settings.batch_from])

    async def _send_each(self, entries: Sequence[Entry]) -> None:
        failures = 0
        for entry in entries:
            failures = 0 if await self._try_one(entry) else failures + 1
            if failures == FAILURES_IN_A_ROW:
                raise NotNow(FAILS_AT_ALL)

    async def _try_one(self, entry: Entry) -> bool:
        """False when the hub failed at it; it is tried again after its pause."""
        try:
            await self._send_one(entry)
        except HubFailed as failure:
            self._postpone(entry, str(failure))
            return False
        return True

    def _postpone(self, entry: Entry, reason: str) -> None:
        if entry.failures == 0:
            log.warning(
                "the hub fails at this complaint; trying again, the others go on",
                reference=entry.reference,
                reason=reason,
            )
        pause = pause_s(entry.failures, self._settings.backoff_cap_s, first_s=1.0)
        self._outbox.postpone(entry.reference, reason, self._now_s() + pause)

    async def _send_one(self, entry: Entry) -> None:
        content = await self._with_photos(entry)
        self._outbox.mark_attempted([entry.reference])
        try:
            case = await self._hub.submit(content)
        except HubRefused as problem:
            if problem.status == 422 and entry.photos and _blames_photos(problem):
                log.warning(
                    PHOTO_LEFT,
                    reference=entry.reference,
                    photos="; ".join(_unsent(photo, problem) for photo in entry.photos),
                )
                self._drop_photos(entry, content)
                return
            await self._settle_conflict(entry, content, problem)
        else:
            self._outbox.acknowledge(entry.reference, str(case["id"]), self._routed)

    async def _settle_conflict(self, entry: Entry, content: bytes, problem: HubRefused) -> None:
        """The hub's own time in place of ours, where only a lost spool knew it; any other refusal stands."""
        try:
            case = await self._same_but_for_its_time(content, problem)
        except HubRefused as again:
            log.debug("no case of ours", reference=entry.reference, reason=str(again))
            case = None
        if case is None:
            self._settle_refusal(entry.reference, problem)
        else:
            self._outbox.acknowledge(entry.reference, str(case["id"]), self._routed)

    async def _same_but_for_its_time(self, content: bytes, problem: HubRefused) -> dict[str, Any] | None:
        if not (problem.is_kind(CONFLICT) and problem.case_id):
            return None
        known = (await self._hub.case(problem.case_id))["complaint"]
        told = with_known_time(content, known, self._agency)
        return await self._hub.submit(told) if told else None

    async def _send_batch(self, entries: Sequence[Entry]) -> None:
        self._outbox.mark_attempted(entry.reference for entry in entries)
        lines = await self._hub.submit_batch([entry.content or b"" for entry in entries])
        with self._spool.transaction():
            answered = [(entries[line.line - 1], line) for line in lines if 0 < line.line <= len(entries)]
            open_ = [(entry, self._settle_line(entry, line)) for entry, line in answered]
        for entry, problem in open_:
            if isinstance(problem, HubRefused):
                await self._settle_conflict(entry, entry.content or b"", problem)
        later = next((error for _, error in open_ if error and not isinstance(error, HubRefused)), None)
        if later:
            raise later
        if len(lines) >= FAILURES_IN_A_ROW and all(line.status == 500 for line in lines):
            raise NotNow(FAILS_AT_ALL)
        if len(lines) < len(entries):
            raise self._hub.cut_short(len(lines), len(entries))

    def _settle_line(self, entry: Entry, line: BatchLine) -> ConnectorError | None:
        """What remains to be done: a conflict (HubRefused) to be looked into, or a reason to pause."""
        if line.status in (200, 201) and line.case_id:
            self._outbox.acknowledge(entry.reference, line.case_id, self._routed)
            return None
        problem = error_of(line.status, line.problem)
        if isinstance(problem, HubFailed):
            self._postpone(entry, str(problem))
            return None
        if isinstance(problem, HubAway) or problem.is_kind(CONFLICT):
            return problem
        try:
            self._settle_refusal(entry.reference, problem)
        except NotAllowed as error:
            return error
        return None

    def _settle_refusal(self, reference: str, problem: HubRefused) -> None:
        """409 conflict, 410 erased and 422 end this complaint's way. What bars the client is not about this
        complaint: it stays and waits until somebody has mended that."""
        if bars_submitting(problem):
            raise NotAllowed(f"the hub does not let this client submit: {problem}")
        if problem.is_kind("complaint-erased") or problem.status == 410:
            self._outbox.refuse(reference, GONE, "erased")
            log.info("complaint was erased in the hub; it is not sent again", reference=reference)
            return
        reason = _reason(problem)
        self._outbox.refuse(reference, reason)
        log.warning("complaint refused by the hub; the others go on", reference=reference, reason=reason)

    async def _with_photos(self, entry: Entry) -> bytes:
        """Uploads the photos first; one that went missing or is refused is named instead of sent."""
        content = entry.content or b""
        for photo in entry.photos:
            try:
                await self._hub.upload(Path(photo["path"]), photo["media_type"], photo["sha256"])
            except (OSError, HubRefused) as error:
                if isinstance(error, HubRefused) and bars_submitting(error):
                    raise NotAllowed(f"the hub does not let this client upload: {error}") from error
                if entry.attempted:
                    continue  # the hub may have the complaint with this photo already: its bytes stay
                others = "; its other photos go as names too" if len(entry.photos) > 1 else ""
                log.warning(PHOTO_LEFT, reference=entry.reference, photos=_unsent(photo, error) + others)
                return self._drop_photos(entry, content)
        return content

    def _drop_photos(self, entry: Entry, content: bytes) -> bytes:
        bare = orjson.dumps(without_photos(orjson.loads(content), self._agency))
        self._outbox.replace_content(entry.reference, bare)
        return bare


def _within_bytes(entries: Sequence[Entry]) -> Sequence[Entry]:
    """As many from the front as fit one batch, at least one."""
    size, count = 0, 0
    for entry in entries:
        size += len(entry.content or b"") + 1
        if count and size > BATCH_BYTES:
            break
        count += 1
    return entries[:count]


def _unsent(photo: Mapping[str, Any], error: OSError | HubRefused) -> str:
    """Its name, and why it does not go."""
    path = Path(photo["path"])
    why = why_unreadable(path, error) if isinstance(error, OSError) else f"the hub refuses it: {error}"
    return str(Unsent(str(photo["name"]), why))


def _blames_photos(problem: HubRefused) -> bool:
    return any(pointer.startswith("/attachments") for pointer in problem.pointers())


def _reason(problem: HubRefused) -> str:
    if problem.is_kind(CONFLICT):
        case = f" (case {problem.case_id})" if problem.case_id else ""
        return (
            f"409 the hub has this reference with other content{case} and keeps that: if it is this report, "
            "edited or mapped otherwise since, there is nothing to do, and its answers come here; if two "
            "apps of this agency count alike, give this one a reference_prefix"
        )
    details = "; ".join(f"{error.get('pointer', '')}: {error.get('detail', '')}" for error in problem.errors)
    return f"{problem.status} {problem.title}" + (f": {details}" if details else "")
