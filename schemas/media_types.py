"""What a file is declared as, beside what its first bytes show."""

from __future__ import annotations

from typing import Final

from schemas.first_bytes import OFFICE

ANYTHING: Final = "application/octet-stream"
_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
}
_VIDEO: Final = frozenset({"video/mp4", "video/quicktime", "video/3gpp", "video/x-m4v", "audio/mp4"})
_STILL: Final = frozenset({"image/heic", "image/heif", "image/avif"})
_RECOGNISED: Final = (
    _VIDEO
    | _STILL
    | {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "application/pdf",
        "application/zip",
    }
)
_TEXT: Final = ("text/", "application/json", "application/xml", "image/svg+xml", "message/rfc822")


def declaration(named: str, shown: str | None) -> str | None:
    """What to declare of a file whose name says `named`: what its first bytes show, where these tell more.
    None where they contradict the name and tell nothing: it would be refused."""
    if shown is not None and shown != "application/zip" and not shown.startswith(("text/", OFFICE)):
        return shown
    return None if disagree(named, shown) else named


def disagree(declared: str, shown: str | None) -> bool:
    """True when the first bytes contradict the declaration. What they do not recognise may be declared as
    anything that they would not recognise either."""
    said = _ALIASES.get(declared, declared)
    if said in (ANYTHING, shown):
        return False
    if shown is None:
        return said in _RECOGNISED
    if shown == "text/plain":
        return said in _RECOGNISED
    if {said, shown} <= _VIDEO or {said, shown} <= _STILL:
        return False
    if shown == "application/zip" or shown.startswith(OFFICE):
        # Many kinds are ZIP archives inside, and the folder that tells may lie further back.
        return said in _RECOGNISED - {"application/zip"} or said.startswith(_TEXT)
    return True
