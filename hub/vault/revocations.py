"""revocations.ndjson beside the master key: which clients, officers and agencies lost what, ids only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import structlog

from hub.ports.revocations import CHANGES, RevocationLine
from hub.vault.journal import JournalFile

log = structlog.get_logger(__name__)
NAME: Final = "revocations.ndjson"


class RevocationFile:
    """Implements `hub.ports.revocations.RevocationJournal` for the hub whose master key is `key_path`."""

    def __init__(self, key_path: Path) -> None:
        self._file = JournalFile(key_path.with_name(NAME))
        self.path = self._file.path

    def add(self, lines: Sequence[RevocationLine]) -> None:
        if lines:
            self._file.append([{"what": line.what, "id": line.id, "at": line.at} for line in lines])

    def lines(self) -> list[RevocationLine]:
        found = []
        for number, document in self._file.documents():
            line = _line(document)
            if line is None:
                log.warning("revocation_line_unreadable", path=str(self.path), line=number)
            else:
                found.append(line)
        return found


def _line(document: Any) -> RevocationLine | None:
    if not isinstance(document, dict) or document.get("what") not in CHANGES:
        return None
    name, at = document.get("id"), document.get("at")
    if not isinstance(name, str) or not isinstance(at, str):
        return None
    return RevocationLine(document["what"], name, at)
