"""erasures.ndjson beside the master key: which cases were erased, ids only, one JSON object a line.

Several processes may append at once; each call writes whole lines under a lock that dies with its process. A
line that a kill left without its end is no line."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from hub.errors import StoreUnavailable
from hub.ports.erasures import ErasureLine
from hub.vault.master_key import sync_folder

log = structlog.get_logger(__name__)
NAME: Final = "erasures.ndjson"


class ErasureFile:
    """Implements `hub.ports.erasures.ErasureJournal` for the hub whose master key is `key_path`."""

    def __init__(self, key_path: Path) -> None:
        self.path = key_path.with_name(NAME)

    def add(self, lines: Sequence[ErasureLine]) -> None:
        self._append([_document(line) for line in lines])

    def take_back(self, lines: Sequence[ErasureLine]) -> None:
        self._append([_document(line) | {"taken_back": True} for line in lines])

    def lines(self) -> list[ErasureLine]:
        found: dict[str, ErasureLine] = {}
        for number, document in enumerate(self._documents(), 1):
            try:
                line = ErasureLine(document["case_id"], document["by"], document["erased_at"])
            except (KeyError, TypeError):
                log.warning("erasure_line_unreadable", path=str(self.path), line=number)
                continue
            found.pop(line.case_id, None)
            if not document.get("taken_back"):
                found[line.case_id] = line
        return list(found.values())

    def _documents(self) -> list[Any]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._away(error) from error
        return [_parsed(line) for line in data.splitlines() if line.strip()]

    def _append(self, documents: Sequence[dict[str, Any]]) -> None:
        data = b"".join(orjson.dumps(document) + b"\n" for document in documents)
        try:
            is_new = not self.path.exists()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                size = os.fstat(handle).st_size
                torn = size and os.pread(handle, 1, size - 1) != b"\n"
                _write(handle, b"\n" + data if torn else data)
                os.fsync(handle)
            finally:
                os.close(handle)
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise self._away(error) from error

    def _away(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self.path}: cannot be written or read ({error.strerror or error}).")


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _document(line: ErasureLine) -> dict[str, Any]:
    return {"case_id": line.case_id, "by": line.by, "erased_at": line.erased_at}


def _parsed(line: bytes) -> Any:
    """None for what a kill cut off."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
