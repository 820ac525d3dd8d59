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
        for number, document in enumerate(self._file.documents(), 1):
            try:
                line = ErasureLine(document["case_id"], document["by"], document["erased_at"])
            except (KeyError, TypeError):
                log.warning("erasure_line_unreadable", path=str(self.path), line=number)
                continue
            found.pop(line.case_id, None)
            if not document.get("taken_back"):
                found[line.case_id] = line
        return list(found.values())


def _document(line: ErasureLine) -> dict[str, Any]:
    return {"case_id": line.case_id, "by": line.by, "erased_at": line.erased_at}
