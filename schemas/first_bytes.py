"""What a file is by its first bytes, for telling a photo from a program that calls itself one."""

from __future__ import annotations

import codecs

ENOUGH = 8192
"""So many are looked at; more tell nothing more here."""

OFFICE = "application/vnd.openxmlformats-officedocument."
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"iso4": "video/mp4",
    b"iso5": "video/mp4",
    b"iso6": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"avc1": "video/mp4",
    b"M4V ": "video/mp4",
    b"MSNV": "video/mp4",
    b"3gp4": "video/3gpp",
    b"3gp5": "video/3gpp",
}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


def sniff(content: bytes) -> str | None:
    """The media type that the first `ENOUGH` bytes show, or None. Empty content shows nothing.

    JPEG, PNG, GIF, WebP, PDF, MP4 and its kin (ISO/IEC 14496-12 brands), HEIC, DOCX, XLSX, PPTX, other ZIP,
    and plain text in UTF-8."""
    first_bytes = content[:ENOUGH]
    for magic, media_type in _MAGIC:
        if first_bytes.startswith(magic):
            return media_type
    if first_bytes[:4] == b"RIFF" and first_bytes[8:12] == b"WEBP":
        return "image/webp"
    if first_bytes[4:8] == b"ftyp":
        return _BRANDS.get(first_bytes[8:12])
    if first_bytes.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(first_bytes)
    return "text/plain" if _is_text(first_bytes) else None


def _zip_kind(first_bytes: bytes) -> str:
    """Office files are ZIP archives with a folder of their kind, near the front in what offices write."""
    for folder, kind in ((b"word/", "wordprocessingml.document"), (b"xl/", "spreadsheetml.sheet")):
        if folder in first_bytes:
            return OFFICE + kind
    return OFFICE + "presentationml.presentation" if b"ppt/" in first_bytes else "application/zip"


def _is_text(first_bytes: bytes) -> bool:
    if not first_bytes or first_bytes.translate(None, _CONTROL) != first_bytes:
        return False
    try:
        # Not final: a character may be cut at the end of what was given.
        codecs.getincrementaldecoder("utf-8")().decode(first_bytes)
    except UnicodeDecodeError:
        return False
    return True
