"""Photos that an app keeps as file names in a column and files in a folder."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.rules import Photos
from connectors.values import Value, clean_text
from connectors.words import one_line
from schemas.first_bytes import sniff
from schemas.media_types import ANYTHING, declaration

NAME_LIMIT = 200
PHOTO_LEFT = "photo not sent; the complaint goes without it"
"""What is logged, with the reference, the names and why."""


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


@dataclass(frozen=True)
class Unsent:
    """A photo that can only be named, and why; "" where no folder is configured, and nobody expects it."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{one_line(self.name)}: {self.why}"


def find_photos(settings: Photos, column: Value) -> tuple[list[Photo], list[Unsent]]:
    """The photos that can be sent, and those that cannot (no folder, missing, too large)."""
    text, _ = clean_text(column)
    names = [Path(part.strip()).name for part in text.split(settings.separator) if Path(part.strip()).name]
    if not settings.folder:
        return [], [Unsent(name[:NAME_LIMIT], "") for name in names]
    found = [_open(Path(settings.folder), name, settings.limit_bytes) for name in dict.fromkeys(names)]
    photos = [each for each in found if isinstance(each, Photo)]
    return photos, [each for each in found if isinstance(each, Unsent)]


def why_unreadable(path: Path, error: OSError) -> str:
    """Why a file of the folder cannot be read."""
    if isinstance(error, FileNotFoundError):
        return f"it is not in photos.folder {path.parent}"
    return f"this user cannot read it in photos.folder {path.parent} ({error.strerror})"


def _open(folder: Path, name: str, limit_bytes: int) -> Photo | Unsent:
    """Unsent when the file is not there, is no plain file inside the folder, is too large, or is not what its
    name says nor of another kind that is known: the complaint goes on without it, naming it."""
    path = folder / name
    try:
        size = path.stat().st_size
        if path.resolve().parent != folder.resolve() or not path.is_file():
            return Unsent(name[:NAME_LIMIT], f"it is no plain file inside photos.folder {folder}")
        if not 0 < size <= limit_bytes:
            why = f"it has {size} bytes, photos.limit_bytes is {limit_bytes}" if size else "it is empty"
            return Unsent(name[:NAME_LIMIT], why)
        content = path.read_bytes()
    except OSError as error:
        return Unsent(name[:NAME_LIMIT], why_unreadable(path, error))
    named = mimetypes.guess_type(name)[0] or ANYTHING
    media_type = declaration(named, sniff(content))
    if media_type is None:
        why = f"its name says {named}, and its content is something else"
        return Unsent(name[:NAME_LIMIT], why)
    return Photo(path, name[:NAME_LIMIT], media_type, len(content), hashlib.sha256(content).hexdigest())
