"""Complaints from the spool to the hub: one by one, or as a batch when many wait."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import structlog

from connectors.config import Hub
from connectors.errors import ConnectorError, HubAway, HubRefused, NotAllowed
from connectors.hub_client import BatchLine, HubClient, problem_of
from connectors.mapping import without_photos
from connectors.outbox import Entry, Outbox
from connectors.spool import Spool

log = structlog.get_logger("simpul-connector")
BATCH_BYTES = 4 * 1024 * 1024


class Sender:
    """Sends what waits. A complaint that the hub refuses is listed and stands in nobody's way."""

    def __init__(
        self, hub: HubClient, settings: Hub, spool: Spool, outbox: Outbox, agency: str, routed: bool
    ) -> None:
        self._hub, self._settings, self._spool, self._outbox = hub, settings, spool, outbox
        self._agency, self._routed = agency, routed

    async def step(self) -> bool:
        """Sends up to one batch; True when more waits."""
        waiting = self._outbox.waiting(self._settings.batch_limit)
        if not waiting:
            return False
        try:
            plain = [entry for entry in waiting if not entry.photos]
            if len(plain) >= self._settings.batch_from:
                await self._send_batch(_within_bytes(plain))
            else:
                for entry in waiting[: self._settings.batch_from]:
                    await self._send_one(entry)
        finally:
            self._spool.forget_freed()
        return self._outbox.count_waiting() > 0

    async def _send_one(self, entry: Entry) -> None:
        content = await self._with_photos(entry)
        self._outbox.mark_attempted([entry.reference])
        try:
            case = await self._hub.submit(content)
        except HubRefused as problem:
            if problem.status == 422 and entry.photos and _blames_photos(problem):
                self._drop_photos(entry, content)
                return
            self._settle_refusal(entry.reference, problem)
        else:
            self._outbox.acknowledge(entry.reference, str(case["id"]), self._routed)

    async def _send_batch(self, entries: Sequence[Entry]) -> None:
        self._outbox.mark_attempted(entry.reference for entry in entries)
        lines = await self._hub.submit_batch([entry.content or b"" for entry in entries])
        with self._spool.transaction():
            away = [
                self._settle_line(entries[line.line - 1], line)
                for line in lines
                if 0 < line.line <= len(entries)
            ]
        later = next((error for error in away if error), None)
        if later:
            raise later
        if len(lines) < len(entries):
            raise HubAway(f"the answer to a batch ended after {len(lines)} of {len(entries)} lines")

    def _settle_line(self, entry: Entry, line: BatchLine) -> ConnectorError | None:
        if line.status in (200, 201) and line.case_id:
            self._outbox.acknowledge(entry.reference, line.case_id, self._routed)
            return None
        problem = problem_of(line.status, line.problem)
        if not 400 <= line.status < 500 or line.status in (401, 408, 425, 429):
            return HubAway(f"the hub answers {problem}")
        try:
            self._settle_refusal(entry.reference, problem)
        except NotAllowed as error:
            return error
        return None

    def _settle_refusal(self, reference: str, problem: HubRefused) -> None:
        """409 conflict, 410 erased and 422 end this complaint's way. 403 and 404 are about the client, not
        about this complaint: it stays and waits until somebody has mended that."""
        if problem.status in (401, 403, 404, 405):
            raise NotAllowed(f"the hub does not let this client submit: {problem}")
        if problem.is_kind("complaint-erased") or problem.status == 410:
            self._outbox.refuse(reference, "the hub erased this complaint; it is final", "erased")
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
                if isinstance(error, HubRefused) and error.status in (401, 403, 404):
                    raise NotAllowed(f"the hub does not let this client upload: {error}") from error
                if entry.attempted:
                    continue  # the hub may have the complaint with this photo already: its bytes stay
                log.warning("photo not sent; the complaint goes without it", reference=entry.reference)
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


def _blames_photos(problem: HubRefused) -> bool:
    return any(pointer.startswith("/attachments") for pointer in problem.pointers())


def _reason(problem: HubRefused) -> str:
    if problem.is_kind("complaint-conflict"):
        return "409 the hub has this reference with other content; give the app's reports a reference_prefix"
    details = "; ".join(f"{error.get('pointer', '')}: {error.get('detail', '')}" for error in problem.errors)
    return f"{problem.status} {problem.title}" + (f": {details}" if details else "")
