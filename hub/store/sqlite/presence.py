"""Who is on a SQLite database, by the kernel's locks on a file beside it: a process that is suspended keeps
what it holds, one that is killed lets go, and the file stays where it is when a restore replaces the
database. It lies beside one name of the database: one that has more is refused."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hub.errors import CommandRefused, StoreUnavailable

SUFFIX: Final = "-lock"
LOCKS: Final = Path("/proc/locks")
WORD: Final = re.compile(r"[a-z][a-z-]*")


def lock_beside(database: Path) -> Path:
    return database.with_name(database.name + SUFFIX)


class FilePresence:
    """Held until it is closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        """Not unlocked: whoever was forked from this process shares the lock until it ends too."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def present(database: Path) -> FilePresence:
    """Says that this process may write. CommandRefused while a command has the database for itself."""
    descriptor = _open(database)
    if not _locked(descriptor, fcntl.LOCK_SH):
        who = _holder(descriptor)
        os.close(descriptor)
        raise CommandRefused(
            f"{who or 'A rebuild, a restore or a move'} is under way on the database; wait for its end."
        )
    return FilePresence(descriptor)


@contextmanager
def alone(database: Path, what: str) -> Iterator[None]:
    """Nobody else opens the database meanwhile. CommandRefused while somebody has."""
    descriptor = _open(database)
    try:
        if not _locked(descriptor, fcntl.LOCK_EX):
            raise CommandRefused(
                f"{what} needs the database {database} for itself, but {_holder(descriptor) or 'a command'} "
                "works on it. Wait for its end, or stop it; one that is suspended counts as well."
            )
        yield
    finally:
        os.close(descriptor)


def _refuse_second_name(database: Path) -> None:
    """SQLite's write-ahead log, like the locks here, lies beside a name, so that whoever comes by another
    sees neither."""
    try:
        names = database.stat().st_nlink
    except OSError:  # not there yet; whatever else is wrong, who opens it says
        return
    if names > 1:
        raise CommandRefused(
            f"{database}: has another name (a hard link), and hubs by two names lose what the other one "
            "acknowledged: remove the other name; a snapshot is made with `simpul backup`."
        )


def _open(database: Path) -> int:
    _refuse_second_name(database)
    path = lock_beside(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{path}: cannot be made or reached ({error.strerror}).") from error


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str | None:
    """One process that holds a lock on the file, where the system tells: "`simpul import` (process 4711)"."""
    mine = os.fstat(descriptor)
    try:
        fields = [line.split() for line in LOCKS.read_text().splitlines()]
        found = {int(each[4]) for each in fields if each[5].rpartition(":")[2] == str(mine.st_ino)}
        there = [process for process in sorted(found) if _has_open(process, mine)]
        return f"{_command(there[0])} (process {there[0]})" if there else None
    except (OSError, ValueError, IndexError):  # no such file, or in another form, or nothing for our eyes
        return None


def _has_open(process: int, file: os.stat_result) -> bool:
    """Other file systems have files of the same number."""
    if process == os.getpid():
        return False
    return any(os.path.samestat(each.stat(), file) for each in Path(f"/proc/{process}/fd").iterdir())


def _command(process: int) -> str:
    """The command's words, as they were typed, without its options and names."""
    typed = Path(f"/proc/{process}/cmdline").read_text(errors="replace").split("\0")
    place = next((n for n, each in enumerate(typed) if Path(each).name == "simpul"), len(typed))
    words = [each for each in typed[place + 1 : place + 2] if WORD.fullmatch(each)]
    return f"`simpul {words[0]}`" if words else "a program"
