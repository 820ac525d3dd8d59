"""erasures.ndjson beside the master key: which cases were erased, ids only, one JSON object a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from hub.ports.erasures import ErasureLine
from hub.vault.journal import JournalFile

log = structlog.get_logger(__name__)
NAME: Final = "erasures.ndjson"
MEMBERS: Final = ("case_id", "by", "erased_at")


class ErasureFile:
    """Implements `hub.ports.erasures.ErasureJournal` for the hub whose master key is `key_path`."""

    def __init__(self, key_path: Path) -> None:
        self._file = JournalFile(key_path.with_name(NAME))
        self.path = self._file.path

    def add(self, lines: Sequence[ErasureLine]) -> None:
        self._file.append([_document(line) for line in lines])

    def take_back(self, lines: Sequence[ErasureLine]) -> None:
        self._file.append([_document(line) | {"taken_back": True} for line in lines])

    def lines(self) -> list[ErasureLine]:
        found: dict[str, ErasureLine] = {}
        for number, document in self._file.documents():
            line = _line(document)
            if line is None:
                log.warning("erasure_line_unreadable", path=str(self.path), line=number)
                continue
            found.pop(line.case_id, None)
            if not document.get("taken_back"):
                found[line.case_id] = line
        return list(found.values())


def _line(document: Any) -> ErasureLine | None:
    if not isinstance(document, dict):
        return None
    values = [value for name in MEMBERS if isinstance(value := document.get(name), str)]
    return ErasureLine(*values) if len(values) == len(MEMBERS) else None


def _document(line: ErasureLine) -> dict[str, Any]:
    return {"case_id": line.case_id, "by": line.by, "erased_at": line.erased_at}
