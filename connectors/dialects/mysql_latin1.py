"""latin1 as MySQL and MariaDB have it: Windows' cp1252, and the five bytes that cp1252 leaves free are the
control characters of ISO 8859-1 (MySQL manual, "West European Character Sets"). Every byte is a character, so
no row of the app can end a reading; what cp1252 lacks is taken out with the other control characters."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

NAME = "mysql_latin1"
_FREE = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_DECODING = "".join(chr(byte) if byte in _FREE else bytes([byte]).decode("cp1252") for byte in range(256))
_ENCODING = codecs.charmap_build(_DECODING)


def _decode(data: ReadableBuffer, errors: str = "strict") -> tuple[str, int]:
    return codecs.charmap_decode(data, errors, _DECODING)


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    return codecs.charmap_encode(text, errors, _ENCODING)


def _search(name: str) -> codecs.CodecInfo | None:
    return codecs.CodecInfo(_encode, _decode, name=NAME) if name == NAME else None


codecs.register(_search)  # PyMySQL takes a codec by its name alone
