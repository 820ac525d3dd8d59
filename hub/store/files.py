"""The rows of uploaded files and of the cases that hold their keys (port: `hub.ports.files.FileTable`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.ports.files import FileHolder, FileRow
from hub.ports.sealing import WrappedKey
from hub.ports.store import CHORE_PAGE
from hub.store import tables
from hub.store.dialect import Engine
from hub.store.upserts import replacing

_COLUMNS = "sha256, agency, media_type, size, wrapped, generation, location, created_at"
_REPLACING = replacing(tables.files, "media_type", "size", "wrapped", "generation", "location", "created_at")
_OLD = "SELECT sha256, agency FROM files WHERE wrapped IS NOT NULL AND created_at < ? LIMIT ?"
_FORGOTTEN = (
    "UPDATE files SET wrapped = NULL, generation = NULL WHERE sha256 = ? AND agency = ? AND created_at < ?"
)
_UNHELD = (
    f"SELECT {_COLUMNS} FROM files AS f WHERE wrapped IS NULL AND NOT EXISTS "  # noqa: S608
    "(SELECT 1 FROM file_holders AS h JOIN stream_keys AS k ON k.stream = h.stream "
    "WHERE h.sha256 = f.sha256) LIMIT ?"
)
_DROPPED = "DELETE FROM files WHERE sha256 = ? AND agency = ? AND location = ? AND wrapped IS NULL"


class FileTables:
    """Implements `hub.ports.files.FileTable`."""

    def __init__(self, store: Engine) -> None:
        self._store = store

    def put(self, row: FileRow) -> None:
        wrapped = row.wrapped
        with self._store.writing() as db:
            db.execute(
                f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) {_REPLACING}",  # noqa: S608
                (
                    row.sha256,
                    row.agency,
                    row.media_type,
                    row.size,
                    wrapped.wrapped if wrapped else None,
                    wrapped.generation if wrapped else None,
                    row.location,
                    row.created_at,
                ),
            )

    def uploads(self, sha256: str) -> list[FileRow]:
        with self._store.connection() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM files WHERE sha256 = ? ORDER BY created_at, agency",  # noqa: S608
                (sha256,),
            ).fetchall()
        return [_row(row) for row in rows]

    def holders(self, sha256: str) -> list[FileHolder]:
        with self._store.connection() as db:
            rows = db.execute(
                "SELECT h.stream, h.generation, h.wrapped, k.generation, k.wrapped FROM file_holders AS h "
                "LEFT JOIN stream_keys AS k ON k.stream = h.stream WHERE h.sha256 = ? ORDER BY h.stream",
                (sha256,),
            ).fetchall()
        return [
            FileHolder(
                stream,
                WrappedKey(stream, generation, wrapped),
                WrappedKey(stream, key_generation, key) if key is not None else None,
            )
            for stream, generation, wrapped, key_generation, key in rows
        ]

    def forget_uploaders(self, before: str, limit: int = CHORE_PAGE) -> int:
        """A file is its uploader's for a day; from then on only cases that name it hold its key. At most
        `limit` files; how many. They are looked for before the transaction, which would hold up others."""
        with self._store.connection() as db:
            old = db.execute(_OLD, (before, limit)).fetchall()
        if not old:
            return 0
        with self._store.writing() as db:
            db.cursor().executemany(_FORGOTTEN, [(*each, before) for each in old])
        return len(old)

    def unheld(self, limit: int = CHORE_PAGE) -> list[FileRow]:
        """At most `limit` files whose key nobody holds any more: their bytes can be deleted, and then their
        rows."""
        with self._store.connection() as db:
            rows = db.execute(_UNHELD, (limit,)).fetchall()
        return [_row(row) for row in rows]

    def drop(self, rows: Sequence[FileRow]) -> None:
        """In one transaction. A row stays if its agency has uploaded the same content again since."""
        with self._store.writing() as db:
            db.cursor().executemany(_DROPPED, [(row.sha256, row.agency, row.location) for row in rows])


def _row(row: tuple[Any, ...]) -> FileRow:
    wrapped = WrappedKey(f"uploader:{row[1]}", row[5], row[4]) if row[4] is not None else None
    return FileRow(row[0], row[1], row[2], row[3], wrapped, row[6], row[7])
