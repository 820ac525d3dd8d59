"""Photos that an app keeps as file names in a column and files in a folder."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.rules import Photos
from connectors.values import Value, clean_text

NAME_LIMIT = 200


@dataclass(frozen=True)
class Photo:
    """One file that can be sent. `size` in bytes."""

    path: Path
    name: str
    media_type: str
    size: int
    sha256: str

    def reference(self) -> dict[str, Any]:
        """How the complaint names it."""
        return {"sha256": self.sha256, "media_type": self.media_type, "name": self.name, "size": self.size}


def find_photos(settings: Photos, column: Value) -> tuple[list[Photo], list[str]]:
    """The photos that can be sent, and the names of those that cannot (no folder, missing, too large)."""
    text, _ = clean_text(column)
    names = [Path(part.strip()).name for part in text.split(settings.separator) if Path(part.strip()).name]
    if not settings.folder:
        return [], [name[:NAME_LIMIT] for name in names]
    photos, named = [], []
    for name in dict.fromkeys(names):
        photo = _open(Path(settings.folder), name, settings.limit_bytes)
        if photo is None:
            named.append(name[:NAME_LIMIT])
        else:
            photos.append(photo)
    return photos, named


def _open(folder: Path, name: str, limit_bytes: int) -> Photo | None:
    """None when the file is not there, is no plain file inside the folder, or is too large."""
    path = folder / name
    try:
        inside = path.resolve().parent == folder.resolve()
        if not inside or not path.is_file() or not 0 < path.stat().st_size <= limit_bytes:
            return None
        content = path.read_bytes()
    except OSError:
        return None  # unreadable is as good as missing: the complaint goes on without it, naming it
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Photo(path, name[:NAME_LIMIT], media_type, len(content), hashlib.sha256(content).hexdigest())
