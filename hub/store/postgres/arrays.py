"""Lists as PostgreSQL's binary arrays, packed in one go: the driver's own dumper looks at each element's type
anew and costs several times as much."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, Final

from psycopg import adapt, pq
from psycopg.adapt import AdaptersMap

_HEAD: Final = struct.Struct("!iiIii").pack
_LENGTH: Final = struct.Struct("!i").pack
_BIG: Final = struct.Struct("!iq").pack
_NULL: Final = _LENGTH(-1)
_FLOAT: Final = struct.Struct("!id").pack
_BOOL: Final = struct.Struct("!i?").pack
_TEXT, _BYTEA, _INT8, _FLOAT8, _BOOLEAN = 25, 17, 20, 701, 16


class TextArray(bytes):
    """text[], ready to be sent."""


class BytesArray(bytes):
    """bytea[]."""


class BigArray(bytes):
    """bigint[]."""


class FloatArray(bytes):
    """float8[]."""


class BoolArray(bytes):
    """boolean[]."""


def texts(values: Iterable[str | None]) -> TextArray:
    """Raises UnicodeEncodeError for half a surrogate pair."""
    return TextArray(_packed(_TEXT, [None if v is None else v.encode() for v in values]))


def blobs(values: Iterable[bytes | None]) -> BytesArray:
    return BytesArray(_packed(_BYTEA, list(values)))


def bigs(values: Iterable[int | None]) -> BigArray:
    """Raises struct.error for what needs more than 64 bits."""
    parts = [_NULL if value is None else _BIG(8, value) for value in values]
    return BigArray(b"".join([_head(_INT8, len(parts), _NULL in parts), *parts]))


def floats(values: Iterable[float | None]) -> FloatArray:
    parts = [_NULL if value is None else _FLOAT(8, value) for value in values]
    return FloatArray(b"".join([_head(_FLOAT8, len(parts), _NULL in parts), *parts]))


def flags(values: Iterable[bool | None]) -> BoolArray:
    parts = [_NULL if value is None else _BOOL(1, value) for value in values]
    return BoolArray(b"".join([_head(_BOOLEAN, len(parts), _NULL in parts), *parts]))


def _packed(element: int, values: list[bytes | None]) -> bytes:
    parts = [_head(element, len(values), None in values)]
    for value in values:
        if value is None:
            parts.append(_NULL)
        else:
            parts.append(_LENGTH(len(value)))
            parts.append(value)
    return b"".join(parts)


def _head(element: int, count: int, nulls: bool) -> bytes:
    """Dimensions, flags, element type, length, lower bound."""
    return _HEAD(1, int(nulls), element, count, 1) if count else struct.pack("!iiI", 0, 0, element)


class _Ready(adapt.Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


class _Texts(_Ready):
    oid = 1009


class _Blobs(_Ready):
    oid = 1001


class _Bigs(_Ready):
    oid = 1016


class _Floats(_Ready):
    oid = 1022


class _Bools(_Ready):
    oid = 1000


_DUMPERS: Final = {
    TextArray: _Texts,
    BytesArray: _Blobs,
    BigArray: _Bigs,
    FloatArray: _Floats,
    BoolArray: _Bools,
}


def register(adapters: AdaptersMap) -> None:
    for kind, dumper in _DUMPERS.items():
        adapters.register_dumper(kind, dumper)
