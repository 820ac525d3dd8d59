"""The composition root's part for erasures: what they take from the disk, and what a restore does again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog

from auth.principal import Principal
from hub.domain.commands import Erase
from hub.errors import Held, NotFound, Problem
from hub.ports.files import FileRow
from hub.ports.store import CHORE_PAGE
from hub.service.requests import OPERATOR, Request
from hub.store import leftovers
from hub.store.files import FileTables
from hub.vault.attachments import AttachmentStore

if TYPE_CHECKING:
    from hub.app_core import Core

log = structlog.get_logger(__name__)
PAUSES_S: Final = (0.05, 0.2, 1.0, 3.0)


def purge(core: Core) -> list[str]:
    """Files that no key opens any more and what killed commands left, then the database's own disk, where an
    erasure waits for it. What may remain, in words. Raises SimpulError where it must be tried again."""
    attachments = AttachmentStore(core.settings.data_dir / "attachments", core.sealer)
    while drop_unheld(FileTables(core.store), attachments) == CHORE_PAGE:
        pass
    left = remove_leftovers(core)
    done = core.store.purge()
    if done is not None:
        log.info("purged", remains=list(done.remains))
    return [*(done.remains if done else ()), *left, *_kept_aside(core)]


def remove_leftovers(core: Core) -> list[str]:
    """Copies of the database in which nobody works any more; those that stay, in words."""
    return leftovers.sweep(core.settings.data_dir, core.store.folder or core.settings.data_dir)


def drop_unheld(files: FileTables, attachments: AttachmentStore) -> int:
    """Deletes a page of the files whose key nobody holds any more; how many. First their bytes, then their
    rows, without which nobody knows where the bytes are. Not on the writer's thread: each file costs the disk
    a moment."""
    unheld, gone = files.unheld(), list[FileRow]()
    try:
        for row in unheld:
            attachments.delete(row.location)
            gone.append(row)
    finally:
        if gone:
            files.drop(gone)
    return len(unheld)


def erase_again(core: Core) -> None:
    """After a restore: what was erased since the backup, by the journal beside the master key. A case that
    the backup does not have yet is passed over."""
    count = 0
    for line in core.journal.lines():
        operator = Principal(OPERATOR, line.by, frozenset(), "", 0.0)
        count += _erased(core, Request(operator, Erase(line.case_id)))
    if count:
        log.info("erased_again", count=count)


def _erased(core: Core, request: Request) -> bool:
    """Whether it was not so before."""
    for pause_s in (*PAUSES_S, None):
        (result,), _ = core.runner.run([request])
        if isinstance(result, NotFound):
            return False
        if isinstance(result, Held) and pause_s is not None:  # another process is doing the same
            time.sleep(pause_s)
            continue
        if isinstance(result, Problem):
            raise result
        return not result.replayed
    return False


def _kept_aside(core: Core) -> list[str]:
    """Databases that restores replaced, and the file that a move to PostgreSQL left: they hold what was not
    erased by then."""
    path = core.settings.database_path
    kept = path.parent.glob(f"{path.name}.replaced-*")
    names = sorted(path.name for path in kept if not path.name.endswith(("-wal", "-shm")))
    told = [f"{name}, which a restore kept: delete it" for name in names]
    if core.settings.on_postgres and path.exists():
        told.append(f"{path.name}, which `simpul move` left: delete it")
    return told
