"""What the first run registered: ids and secrets, in one file that only its owner may read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Secrets:
    """A JSON object on disk, mode 0600, replaced as a whole at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    def get(self, name: str) -> Any:
        """None when it was never put."""
        return self._values.get(name)

    def put(self, name: str, value: Any) -> None:
        self._values[name] = value
        aside = self._path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(self._values, handle, indent=2)
            handle.flush()
            os.fsync(handle.fileno())
        aside.replace(self._path)

    def client(self, name: str) -> tuple[str, str]:
        """(client id, client secret) of a registered client."""
        found = self._values[f"client:{name}"]
        return found["client_id"], found["client_secret"]
