"""What commands work in, and what is left of it when they are killed: a copy of the database, from before an
erasure perhaps. A working folder, like a half-written file, is held by a kernel lock for as long as its maker
lives; what nobody holds is a leftover. Only names that are made here count, and no link is followed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

BACKUP: Final = ".simpul-backup-"
REBUILD: Final = ".simpul-rebuild-"
RESTORE: Final = ".simpul-restore-"
KINDS: Final = (BACKUP, REBUILD, RESTORE)
HELD: Final = "held"
"""The file in each working folder that carries its lock; it goes last."""
NAME: Final = re.compile(r"\.simpul-(backup|rebuild|restore)-[a-z0-9_]{8}")
EARLIER: Final = {"backup": "simpul.db", "rebuild": "rebuilt.db"}
"""Folders of versions that held nothing, by what lay in them."""
EARLIER_NAME: Final = re.compile(r"(backup|rebuild)-[a-z0-9_]{8}")


@contextmanager
def working_folder(kind: str, parent: Path) -> Iterator[Path]:
    """A new folder, held until the block ends, and gone then."""
    folder, descriptor = _made(kind, parent)
    try:
        yield folder
    finally:
        try:
            _remove(folder)
        except OSError as error:
            log.warning("working_folder_left", path=str(folder), cause=error.strerror)
        finally:
            os.close(descriptor)


def _made(kind: str, parent: Path) -> tuple[Path, int]:
    """Until it is locked it is nobody's, and a sweep may take it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=kind, dir=parent))
        try:
            descriptor = os.open(folder / HELD, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            continue
        if hold(descriptor, folder / HELD):
            return folder, descriptor
        os.close(descriptor)


def hold(descriptor: int, path: Path) -> bool:
    """Takes the lock; False where a sweep was first and `path` is gone. Where there are no locks nobody
    sweeps either."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def scratch_folder(folder: Path | None) -> Path:
    """Where a store's scratch files go: beside its database, or where the system has them."""
    return folder or Path(tempfile.gettempdir())


def sweep(*parents: Path | None) -> list[str]:
    """Removes the working folders that nobody holds, in folders as for `scratch_folder`; those that stay, and
    why, in words."""
    places = dict.fromkeys(place for parent in parents if (place := _place(parent)))
    told = [_swept(each) for place in places for each in _found(place)]
    return [each for each in told if each]


def _place(parent: Path | None) -> Path | None:
    """A system whose folders are read-only may have no place for scratch files, and so no leftovers."""
    try:
        return scratch_folder(parent).resolve()
    except OSError:
        return None


def sweep_parts(file: Path) -> None:
    """Removes what killed backups to `file` had written of it."""
    name = re.compile(re.escape(file.name) + r"\.[0-9a-f]{8}\.part")
    for part in _listed(file.parent):
        if name.fullmatch(part.name):
            with suppress(OSError), _unheld(part) as is_unheld:
                if is_unheld:
                    part.unlink()
                    log.info("leftover_removed", path=str(part))


def _found(parent: Path) -> list[Path]:
    """In a folder that all users share only one's own count."""
    try:
        is_shared = bool(parent.stat().st_mode & stat.S_ISVTX)
    except OSError:
        return []
    found = (each for each in _listed(parent) if not is_shared or _is_own(each))
    return [each for each in found if NAME.fullmatch(each.name) or _is_earlier(each)]


def _is_own(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.geteuid()
    except OSError:
        return False


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_earlier(path: Path) -> bool:
    kind = EARLIER_NAME.fullmatch(path.name)
    return kind is not None and os.path.exists(path / EARLIER[kind[1]])  # noqa: PTH110  # never raises


def _swept(folder: Path) -> str | None:
    """None: it is gone, or was none of ours."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    kind = next(each for each in ("backup", "rebuild", "restore") if each in folder.name)
    if not NAME.fullmatch(folder.name):
        return f"{folder}, which a {kind} of an earlier version may have left: delete it"
    try:
        with _unheld(folder / HELD) as is_unheld:
            if not is_unheld:
                return f"{folder}, in which a {kind} works: it goes when that ends"
            _remove(folder)
    except FileNotFoundError:
        return _never_begun(folder, kind)
    except OSError as error:
        return f"{folder}, which a killed {kind} left and which could not be removed ({error.strerror})"
    log.info("leftover_removed", path=str(folder))
    return None


def _never_begun(folder: Path, kind: str) -> str | None:
    """Without a lock it is either empty, or nobody can say whether somebody works in it."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return None
    except OSError:
        return f"{folder}, which is no longer needed unless a {kind} runs: delete it"
    return None


@contextmanager
def _unheld(path: Path) -> Iterator[bool]:
    """Whether nobody holds it; nobody can, until the block ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield stat.S_ISREG(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def _remove(folder: Path) -> None:
    """The lock's file last, so that who is cut off here leaves what the next one finds."""
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(inside) as entries:
            names = [entry.name for entry in entries if entry.name != HELD]
        for name in names:
            if stat.S_ISDIR(os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=inside)
            else:
                os.unlink(name, dir_fd=inside)
        os.unlink(HELD, dir_fd=inside)
    finally:
        os.close(inside)
    folder.rmdir()
