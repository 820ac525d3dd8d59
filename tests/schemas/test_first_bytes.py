"""What a file is by its first bytes."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ports.attachments import FIRST_BYTES
from schemas.first_bytes import ENOUGH, sniff

OFFICE = "application/vnd.openxmlformats-officedocument."


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "isi")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", None),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x00\x00\x00\x18ftypmp42\x00", "video/mp4"),
        (b"\x00\x00\x00\x18ftypheic\x00", "image/heic"),
        (b"\x00\x00\x00\x18ftypzzzz\x00", None),
        (archive("[Content_Types].xml", "word/document.xml"), OFFICE + "wordprocessingml.document"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), OFFICE + "spreadsheetml.sheet"),
        (archive("[Content_Types].xml", "ppt/presentation.xml"), OFFICE + "presentationml.presentation"),
        (archive("foto.txt"), "application/zip"),
        ("Jalan rusak – parah\n".encode(), "text/plain"),
        ("aé".encode()[:-1], "text/plain"),
        (b"a\xffb", None),
        (b"a\x00b", None),
        (b"MZ\x90\x00\x03", None),
        (b"\x7fELF\x02", None),
        (b"", None),
    ],
)
def test_common_types_are_known_by_their_first_bytes(first: bytes, expected: str | None) -> None:
    assert sniff(first) == expected


@given(st.binary(max_size=64))
def test_any_bytes_are_taken(first: bytes) -> None:
    assert sniff(first) is None or "/" in str(sniff(first))


def test_an_upload_keeps_what_is_looked_at() -> None:
    assert FIRST_BYTES >= ENOUGH


def test_what_lies_further_back_tells_nothing() -> None:
    assert sniff(b"a" * ENOUGH + b"\x00") == "text/plain"
    assert sniff(b"a" * (ENOUGH - 1) + b"\x00") is None
