"""Attachments: received by the hub for an agency, read by whoever may see what names them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from auth.principal import Principal
from hub.domain.audience import Sight
from hub.domain.events import Fact, is_thread_stream, thread_of
from hub.domain.threads.audience import names_file
from hub.errors import Erased, Invalid, NotFound, TooLarge, Unavailable
from hub.ports.attachments import (
    Attachments,
    AttachmentsUnavailable,
    FileMissing,
    FileTooLarge,
    StoredFile,
    Upload,
)
from hub.ports.clock import Clock, rfc3339
from hub.ports.files import FileHolder, FileRow, FileTable
from hub.ports.store import ReadSession
from hub.service.hub import Hub
from hub.service.rights import allow_without_case, require_scope, sight_of
from schemas.first_bytes import sniff
from schemas.media_types import ANYTHING, disagree

PIECE: Final = 256 * 1024
HISTORY_PAGE: Final = 1000
Once = Callable[[str, Callable[[], Awaitable[dict[str, Any]]]], Awaitable[dict[str, Any]]]
"""Given the content's SHA-256 and what records the upload: that, or what a request before it gave."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that the caller may read; `pieces` are its decrypted content."""

    media_type: str
    size: int | None
    pieces: Iterator[bytes]


@dataclass(slots=True)
class Files:
    """Made by the composition root. Everything that touches the disk runs on a thread."""

    hub: Hub
    attachments: Attachments
    table: FileTable
    clock: Clock
    max_bytes: int

    def require_scope(self, principal: Principal) -> None:
        allow_without_case(principal, "attach")

    async def receive(
        self,
        principal: Principal,
        chunks: AsyncIterator[bytes],
        media_type: str,
        sha256: bytes | None = None,
        once: Once | None = None,
    ) -> dict[str, Any]:
        """Stores a file for the agency: `{"id", "media_type", "size"}`, durable. `sha256` is what the sender
        says it is; `once` judges a repeated request when the content's own hash is known. Raises TooLarge
        413, Invalid 422, Unavailable 503."""
        try:
            upload = await asyncio.to_thread(self.attachments.begin, self.max_bytes)
            stored = await self._received(upload, chunks)
        except FileTooLarge as error:
            raise TooLarge(str(error)) from error
        except ConnectionError:
            raise  # the sender's, who hears nothing any more
        except (AttachmentsUnavailable, OSError) as error:
            raise _away(error) from error
        recorded = False

        async def record() -> dict[str, Any]:
            nonlocal recorded
            made = await self._record(principal, stored, media_type)
            recorded = True
            return made

        try:
            _check(stored, media_type, sha256)
            return await (once(stored.sha256, record) if once else record())
        except Exception:
            # Not when cancelled: the row may be written by then.
            if not recorded:
                await self._discard(stored.location)
            raise

    async def open(self, principal: Principal, sha256: str) -> OpenFile:
        """For its uploader, or for who may see a case that names it. NotFound 404, Erased 410."""
        row, key = await self.hub.readers.run(lambda session: self._find(session, principal, sha256))
        try:
            pieces = await asyncio.to_thread(self.attachments.open, sha256, key)
        except FileMissing as error:
            raise NotFound("This file is no longer kept.") from error
        except (AttachmentsUnavailable, OSError) as error:
            raise _away(error) from error
        return OpenFile(row.media_type if row else ANYTHING, row.size if row else None, pieces)

    # --- receiving ----------------------------------------------------------------------------------------

    async def _received(self, upload: Upload, chunks: AsyncIterator[bytes]) -> StoredFile:
        with upload:
            gathered, size = [], 0
            async for chunk in chunks:
                gathered.append(chunk)
                size += len(chunk)
                if size >= PIECE:
                    await asyncio.to_thread(upload.write, b"".join(gathered))
                    gathered, size = [], 0
            await asyncio.to_thread(upload.write, b"".join(gathered))
            return await asyncio.to_thread(upload.finish)

    async def _record(self, principal: Principal, stored: StoredFile, media_type: str) -> dict[str, Any]:
        uploader = f"uploader:{principal.agency}"
        wrapped = self.hub.sealing.wrap_file_key(uploader, stored.sha256, stored.file_key)
        row = FileRow(
            sha256=stored.sha256,
            agency=principal.agency,
            media_type=media_type,
            size=stored.size,
            wrapped=wrapped,
            location=stored.location,
            created_at=rfc3339(self.clock.now()),
        )
        needless = await self.hub.writer.run(lambda: self._put(row))
        if needless is not None:
            await self._discard(needless)
        return {"id": stored.sha256, "media_type": media_type, "size": stored.size}

    async def _discard(self, location: str) -> None:
        """A file that no row names. One that cannot be deleted now is swept later, like a crash's."""
        try:
            await asyncio.to_thread(self.attachments.delete, location)
        except (AttachmentsUnavailable, OSError) as error:
            log.warning("file_not_deleted", cause=str(error))

    def _put(self, row: FileRow) -> str | None:
        """Records the upload. A copy that the agency uploaded before and nothing named yet stays, with a new
        time and the media type said last, and the location of this one is given back: it is needless."""
        for known in self.table.uploads(row.sha256):
            if known.agency == row.agency and known.wrapped is not None:
                self.table.put(replace(known, created_at=row.created_at, media_type=row.media_type))
                return row.location
        self.table.put(row)
        return None

    # --- reading ------------------------------------------------------------------------------------------

    def _find(self, session: ReadSession, principal: Principal, sha256: str) -> tuple[FileRow | None, bytes]:
        """The file's row and its key, as far as the caller may see it."""
        uploads = self.table.uploads(sha256)
        for row in uploads:
            if row.agency == principal.agency and row.wrapped is not None:
                return row, self.hub.sealing.unwrap_file_key(row.wrapped.stream, sha256, row.wrapped)
        require_scope(principal, "cases:read")
        seen = [h for h in self.table.holders(sha256) if self._may_see(session, principal, h.stream, sha256)]
        for holder in seen:
            if holder.stream_key is not None:
                stored, key = uploads[-1] if uploads else None, self._key(holder, holder.stream, sha256)
                said = self._stated(session, principal, holder.stream, sha256)
                return replace(stored, media_type=said) if stored else None, key
        if seen:
            raise Erased("This file was erased with its case.")
        raise NotFound("There is no such file, or nothing that you may see names it.")

    def _key(self, holder: FileHolder, stream: str, sha256: str) -> bytes:
        assert holder.stream_key is not None
        key = self.hub.sealing.open_stream_key(holder.stream_key)
        return self.hub.sealing.unwrap_file_key(key, sha256, holder.wrapped)

    def _stated(self, session: ReadSession, principal: Principal, stream: str, sha256: str) -> str:
        """The media type that the message or the case by which the reader comes to the file gives it. Whoever
        uploads the same bytes, and as what, changes nothing of it."""
        if is_thread_stream(stream):
            naming = session.messages_naming(thread_of(stream), sha256)
            thread = session.thread(thread_of(stream))
            named = [
                each
                for each in naming
                if thread and names_file([each], thread.state, principal.agency, sha256)
            ]
            return _stated_in([each.state.attachments for each in named], sha256)
        case = session.case(stream)
        seen = sight_of(principal, case) if case else Sight(principal.agency, False, 0)
        return _stated_in([fact.data for fact in _naming_in_sight(session, stream, sha256, seen)], sha256)

    def _may_see(self, session: ReadSession, principal: Principal, stream: str, sha256: str) -> bool:
        if is_thread_stream(stream):
            thread_id = thread_of(stream)
            thread, naming = session.thread(thread_id), session.messages_naming(thread_id, sha256)
            return thread is not None and names_file(naming, thread.state, principal.agency, sha256)
        case = session.case(stream)
        if case is None:
            return False
        seen = sight_of(principal, case)
        return seen.whole or any(_naming_in_sight(session, stream, sha256, seen))


def _naming_in_sight(session: ReadSession, case_id: str, sha256: str, seen: Sight) -> Iterator[Fact]:
    """The events in sight that name the file, oldest first; its hash stands in the clear header."""
    after = 0
    while after < seen.until and (events := session.stream(case_id, after, HISTORY_PAGE)):
        named = (event.fact() for event in events if sha256.encode() in event.header)
        yield from (fact for fact in named if seen.shows(fact))
        after = events[-1].sequence


def _stated_in(documents: Sequence[Any], sha256: str) -> str:
    """What the first attachment with that hash, however deep it lies, says of its type."""
    waiting = list(documents)
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            if each.get("sha256") == sha256 and isinstance(each.get("media_type"), str):
                stated: str = each["media_type"]
                return stated
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
    return ANYTHING


def _away(error: AttachmentsUnavailable | OSError) -> Unavailable:
    """503 in the disk's words, without the paths that an OSError carries."""
    log.warning("attachments_unavailable", cause=str(error))
    cause = error.strerror or "the disk refuses" if isinstance(error, OSError) else str(error).rstrip(".")
    return Unavailable(f"Files cannot be stored or read now ({cause}); try again later.", retry_after_s=5)


def _check(stored: StoredFile, media_type: str, sha256: bytes | None) -> None:
    if sha256 is not None and sha256.hex() != stored.sha256:
        raise Invalid(
            f"The file that arrived has the SHA-256 {stored.sha256}, not the one in Repr-Digest; it was "
            "damaged on the way or is another file. Send it again.",
            code="digest-mismatch",
            parameters=[("Repr-Digest", "It differs from the SHA-256 of what arrived.")],
        )
    shown = sniff(stored.first_bytes)
    if disagree(media_type, shown):
        raise Invalid(
            f"The file is declared as {media_type}, but its first bytes show "
            f"{shown or 'nothing that could be recognised'}.",
            code="media-type-mismatch",
            parameters=[("Content-Type", "Declare the file's own media type.")],
        )
