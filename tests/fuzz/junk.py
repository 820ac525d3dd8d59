"""What gets into bodies, headers and queries that should not be there."""

from __future__ import annotations

from typing import Final

PIECES: Final[tuple[bytes, ...]] = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    rb'"\ud800"',
    rb"\u0000",
    b"\xef\xbb\xbf",
    b"NaN",
    b"-Infinity",
    b"1e999999",
    b"9" * 5000,
    b'"' + b"A" * 40_000 + b'"',
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b"\r\n",
)
VALUES: Final[tuple[bytes, ...]] = (
    b"null",
    b"-1",
    b"1e400",
    b"[]",
    b"{}",
    b"true",
    b'""',
    rb'"\u0000"',
    b"[" * 9000 + b"]" * 9000,
)
HEADERS: Final = (
    ("Content-Type", "text/plain"),
    ("Content-Type", "application/json; charset=utf-16"),
    ("Content-Type", "\x01"),
    ("Content-Encoding", "gzip"),
    ("Idempotency-Key", "x" * 300),
    ("Idempotency-Key", "kunci-1"),
    ("Idempotency-Key", "\u00e9"),
    ("If-Match", '"999999999999999999999"'),
    ("If-Match", "W/"),
    ("Authorization", "Bearer x.y.z"),
    ("Authorization", "Basic Og=="),
    ("Authorization", "Bearer " + "A" * 6000),
    ("Accept", "application/xml"),
    ("traceparent", "00-zz"),
    ("Expect", "100-continue"),
    ("Range", "bytes=0-1"),
    ("X-Forwarded-For", "1.2.3.4, 'x"),
    ("Repr-Digest", "sha-256=:AAAA:"),
)
PARAMETERS: Final = (
    "limit", "after", "cursor", "from", "to", "wait", "state", "status", "q", "updated_since",
)  # fmt: skip
ARGUMENTS: Final = (
    "-1", "0", "201", "1e9", "9" * 30, "", "%00", "%ff", "null", "eyJhIjoxfQ", "A" * 3000, "abc.def",
)  # fmt: skip
METHODS: Final = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "HEAD")
