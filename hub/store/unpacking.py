"""A backup's file unpacked beside the database, and looked at before anything is made of it.

Python's own filters for what a tar file may hold came with 3.11.4; distributions ship older ones. What
`simpul backup` writes is two kinds of plain file, so whatever else a file holds is refused as no backup."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import IO, Final

from hub.errors import CommandRefused
from hub.store.backups import ATTACHMENTS, DATABASE
from hub.store.migrate import HEAD

MEMBER: Final = re.compile(rf"{re.escape(DATABASE)}|{re.escape(ATTACHMENTS)}/[^/\\\0]+/[^/\\\0]+")
"""The database, or an attachment in its folder."""
ABOVE: Final = frozenset({".", ".."})


def unpack(file: Path, root: Path) -> Path:
    """Where the backup's database lies now, below `root`; its attachments lie beside it. CommandRefused for
    what is no backup, a damaged one, one of a newer Simpul, or one for which there is no room."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                content = tar.extractfile(member) if _is_ours(member) else None
                if content is None:
                    raise CommandRefused(
                        f"{file}: holds {member.name[:80]!r}, which no backup of `simpul backup` does."
                    )
                with content:
                    _write(content, root / member.name)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise CommandRefused(f"{file}: cannot be read as a backup ({error}).") from error
    _check(file, root / DATABASE)
    return root / DATABASE


def _is_ours(member: tarfile.TarInfo) -> bool:
    """No link, no device, and no name that leads out of the folder it is unpacked into."""
    return member.isreg() and bool(MEMBER.fullmatch(member.name)) and ABOVE.isdisjoint(member.name.split("/"))


def _write(content: IO[bytes], target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        shutil.copyfileobj(content, out, 1 << 20)


def _check(file: Path, restored: Path) -> None:
    if not restored.is_file():
        raise CommandRefused(f"{file}: holds no database; it is not a backup that `simpul backup` wrote.")
    connection = sqlite3.connect(restored)
    try:
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise CommandRefused(f"{file}: its database is damaged ({error}).") from error
    finally:
        connection.close()
    if verdict != "ok":
        raise CommandRefused(f"{file}: its database is damaged ({verdict}).")
    if revision > HEAD:
        raise CommandRefused(f"{file}: was written by a newer Simpul (schema {revision}, here {HEAD}).")
