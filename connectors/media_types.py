"""The media type of a file as the hub finds it: by its first bytes, or its name where these tell nothing."""

from __future__ import annotations

import mimetypes
from typing import Final

ANYTHING: Final = "application/octet-stream"
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"hevc"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1"), "video/mp4"),
    **dict.fromkeys((b"M4V ", b"MSNV"), "video/mp4"),
    **dict.fromkeys((b"3gp4", b"3gp5"), "video/3gpp"),
}
"""Of ISO/IEC 14496-12, HEIF (ISO/IEC 23008-12) and QuickTime: the major brand behind `ftyp`."""
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_KNOWN_BY_BYTES: Final = frozenset(
    {kind for _, kind in _MAGIC} | set(_BRANDS.values()) | {"image/webp", "video/x-m4v", "audio/mp4"}
)
_TEXT: Final = ("text/", "application/json", "application/xml", "image/svg+xml", "message/rfc822")


def media_type_of(name: str, content: bytes) -> str | None:
    """What to declare. None where the name says a kind that is known by its first bytes, and `content` is
    none such: the hub would refuse it."""
    shown = _by_bytes(content)
    if shown:
        return shown
    named = named_type(name)
    if content.startswith(_ZIP):
        return None if named in _KNOWN_BY_BYTES or named.startswith(_TEXT) else named
    return None if named in _KNOWN_BY_BYTES or named == "application/zip" else named


def named_type(name: str) -> str:
    """What the file's name says."""
    return mimetypes.guess_type(name)[0] or ANYTHING


def _by_bytes(content: bytes) -> str | None:
    for magic, media_type in _MAGIC:
        if content.startswith(magic):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return _BRANDS.get(content[8:12]) if content[4:8] == b"ftyp" else None
